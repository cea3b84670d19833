using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Fakes;

/// <summary>Valid answers to vary.</summary>
internal static class Views
{
    public static RunSpec Spec { get; } = new() { Model = "press", Rounds = 3 };

    public static RunView Run(string state = RunStates.Running, int round = 0, int published = 0, string? reason = null) =>
        new("r", Spec, state, reason, round, published, 0);

    public static RoundView Round(int round, string state = "published", params Refusal[] refusals) => new(
        "r", round, state, null, 3, 3, 3 - refusals.Length, refusals, state == "published" ? $"r-r{round}" : null,
        new Dictionary<string, double> { ["training-loss"] = 0.5 });

    public static VersionView Version(byte[] file, string version = "init-0") => new(
        "press", version, null, new ModelArtifact("/blobs/weights", file.Length, Digest.Of(file), default), true, null, 0, 0,
        new Dictionary<string, double> { ["loss"] = 0.25 });

    public static LogEntry Entry(int number) => new(
        number, DateTimeOffset.UnixEpoch, "roundPublished", number, null, $"Round {number} published.", new Dictionary<string, double>());
}
