using FedServerless.Wire;

namespace FedServerless.EndToEnd.Tests;

/// <summary>Specs that are valid and small; change what a test is about.</summary>
internal static class Specs
{
    /// <summary>27 parameters, everybody in every round, updates kept for recomputation.</summary>
    public static RunSpec Small(int clients, int rounds) => new()
    {
        Model = "digits",
        Rounds = rounds,
        Seed = 7,
        Architecture = new ArchitectureSpec { Name = "softmax", Inputs = 8, Outputs = 3 },
        Round = new RoundSpec { DeadlineSeconds = 100, Minimum = clients },
        Update = new UpdateSpec { BlockCoordinates = 1024 },
        RetainUpdates = true,
    };
}
