namespace FedServerless.Storage.Files;

/// <summary>Recognises the error codes that mean "no room".</summary>
internal static class DiskFull
{
    // ENOSPC; EDQUOT on Linux and macOS; EFBIG, the limit of the file system or the process.
    private static readonly int[] UnixCodes = [28, 122, 69, 27];

    // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED.
    private static readonly int[] WindowsCodes = [unchecked((int)0x80070027), unchecked((int)0x80070070), unchecked((int)0x8007050F)];

    internal static bool Caused(IOException exception) =>
        (OperatingSystem.IsWindows() ? WindowsCodes : UnixCodes).Contains(exception.HResult);
}
