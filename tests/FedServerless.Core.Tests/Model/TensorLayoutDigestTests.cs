using System.Buffers.Binary;
using System.Security.Cryptography;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Core.Tests.Model;

public class TensorLayoutDigestTests
{
    [Fact]
    public void Digest_OneTensor_IsTheHashOfTheDocumentedBytes()
    {
        byte[] expected = [.. "fed-layout-1"u8, .. Int(1), .. Int(2), .. "wb"u8, .. Int(0), .. Int(2), .. Int(3), .. Int(4)];

        var layout = TensorLayout.Create([new("wb", [3, 4], TensorRole.Parameter)]);

        Assert.Equal(Digest.FromBytes(SHA256.HashData(expected)), layout.Digest);
    }

    [Fact]
    public void Digest_NameShapeRoleOrOrderDiffers_Differs()
    {
        TensorSpec a = new("a", [2, 3], TensorRole.Parameter), b = new("b", [6], TensorRole.Parameter);
        TensorSpec[][] layouts =
        [
            [a, b],
            [b, a],
            [a],
            [a, b with { Name = "c" }],
            [a with { Shape = [3, 2] }, b],
            [a with { Shape = [6] }, b],
            [a, b with { Role = TensorRole.Buffer }],
        ];

        Assert.Equal(layouts.Length, layouts.Select(tensors => TensorLayout.Create(tensors).Digest).Distinct().Count());
    }

    private static byte[] Int(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
