namespace FedServerless.Capacity;

/// <summary>
/// What a deployment is taken to be able to do. Rounds are planned by these numbers, and <c>fed plan</c> reckons with them;
/// docs/concepts/scale.md says where each comes from. None of them can change a model's bytes.
/// </summary>
public static class CapacityModel
{
    /// <summary>Requests a second on one blob (Azure's target).</summary>
    public const int BlobRequestsPerSecond = 500;

    /// <summary>Requests a second on one storage account (Azure's default target).</summary>
    public const int AccountRequestsPerSecond = 20_000;

    /// <summary>Longest time an activity should take, in seconds: a host may be told to go, and then has ten minutes.</summary>
    public const double ActivityLimitSeconds = 300;

    /// <summary>Time that activities are planned for, in seconds: what is left of the limit covers a slow day.</summary>
    public const double ActivityBudgetSeconds = 180;

    /// <summary>Most activities of one workflow instance; also the most inputs of one fan-out.</summary>
    public const int MaxActivities = 1000;

    /// <summary>
    /// Most tasks of a stage that the round's own workflow fans out itself; more go to workflows below it. Five such stages, 200
    /// looks and the single steps stay below <see cref="MaxActivities"/>.
    /// </summary>
    public const int MaxOwnTasks = 150;

    /// <summary>Bytes a second that one activity reads from the store and folds. Assumed; a laptop's disk and one core do several times more.</summary>
    public const double BytesPerSecond = 60e6;

    /// <summary>Seconds that one request to the store takes from the same region, besides its bytes. Assumed.</summary>
    public const double RequestSeconds = 0.010;

    /// <summary>Requests that a fold has under way at a time.</summary>
    public const int FoldRequestsAtOnce = 4;

    /// <summary>Requests that cleaning has under way at a time.</summary>
    public const int CleanRequestsAtOnce = 16;

    /// <summary>Seconds for a number of requests, so many under way at a time, and their bytes: the longer of the two.</summary>
    /// <param name="requests">0 or more.</param>
    /// <param name="bytes">0 or more.</param>
    /// <param name="atOnce">1 or more.</param>
    public static double Seconds(double requests, double bytes, int atOnce) =>
        Math.Max(requests * RequestSeconds / atOnce, bytes / BytesPerSecond);
}
