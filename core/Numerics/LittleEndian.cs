namespace FedServerless.Numerics;

/// <summary>The formats are little-endian and the kernels read them in place.</summary>
internal static class LittleEndian
{
    public static void Require()
    {
        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("FedServerless reads its little-endian formats in place; this processor is big-endian.");
        }
    }
}
