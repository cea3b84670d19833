using FedServerless.Local.Hosting;

var (options, problems) = LocalHostOptions.Parse(args);
if (options is null)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, problems));
    return 2;
}

try
{
    if (options.RotateSecrets)
    {
        var ring = LocalHost.RotateSecrets(options.DataFolder);
        Console.WriteLine($"Secret {ring.Current.Kid} is current; {ring.Previous?.Kid}, the one before it, stays active until the next rotation.");
        return 0;
    }

    await using var host = await LocalHost.StartAsync(options, parts: null, CancellationToken.None);
    Console.WriteLine($"FedServerless serves {host.Url} from {Path.GetFullPath(options.DataFolder)}");
    await host.WaitForShutdownAsync(options.UntilInputEnds ? StandardInput.WhenEnded() : CancellationToken.None);
    return host.Engine.Completion.IsFaulted ? 1 : 0;
}
catch (HostStartException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
catch (Exception exception) when (Environment.GetEnvironmentVariable("FED_DEBUG") is null or "")
{
    // Nobody foresaw it: in a line, unless somebody looks for its cause.
    await Console.Error.WriteLineAsync(
        $"The host ends; this should not have happened: {exception.GetType().Name}: {exception.Message} Set FED_DEBUG=1 to see where, and please report it.");
    return 1;
}
