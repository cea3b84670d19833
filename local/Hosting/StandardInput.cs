namespace FedServerless.Local.Hosting;

/// <summary>
/// A host that another program starts lives as long as its standard input is open: so it stops cleanly when told, on every
/// system, and also when that program dies of anything.
/// </summary>
internal static class StandardInput
{
    /// <summary>Cancelled when standard input ends.</summary>
    public static CancellationToken WhenEnded()
    {
        var ended = new CancellationTokenSource();
        new Thread(ReadToEnd) { IsBackground = true, Name = "standard input" }.Start();
        return ended.Token;

        void ReadToEnd()
        {
            using var input = Console.OpenStandardInput();
            var ignored = new byte[256];
            try
            {
                while (input.Read(ignored) > 0)
                {
                }
            }
            catch (IOException)
            {
                // An end like any other.
            }

            ended.Cancel();
        }
    }
}
