using System.Buffers.Binary;
using System.Text;

namespace FedServerless.Core.Tests.Model;

/// <summary>Builds files by the specification's words alone: 8 bytes length, the JSON as given, the data.</summary>
internal static class SafetensorsFile
{
    public static byte[] Of(string json, params byte[] data) => Of(Encoding.UTF8.GetBytes(json), data);

    public static byte[] Of(byte[] json, params byte[] data)
    {
        var file = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        data.CopyTo(file, 8 + json.Length);
        return file;
    }
}
