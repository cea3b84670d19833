namespace FedServerless.Wire;

/// <summary>Something that somebody did or tried; written once, never changed. It holds no secret.</summary>
/// <param name="Time">When, by the host's clock.</param>
/// <param name="Host">The host instance that wrote it: 16 hexadecimal digits, made anew at each start.</param>
/// <param name="Number">From 1, without gaps, in the order of that instance.</param>
/// <param name="Previous">SHA-256 of that instance's record before this one, as it is stored; null for its first.</param>
/// <param name="Actor"><c>operator</c>, <c>device</c>, or <c>unproven</c> where nothing proves the name.</param>
/// <param name="Id">The operator's or device's id; for <c>unproven</c> what it claims to be, or null.</param>
/// <param name="Name">The operator's name for people, or null.</param>
/// <param name="Action">The name of the route, as in the OpenAPI document.</param>
/// <param name="Subject">What it was done to: a path such as <c>runs/r</c>.</param>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Problem">The type of the refusal, or null.</param>
/// <param name="Address">Where it came from; of IPv6 the /64.</param>
/// <param name="Count">How many events this record stands for: more than 1 for refusals of one address since its last record.</param>
/// <param name="Detail">More for people, or null.</param>
public sealed record AuditRecord(
    DateTimeOffset Time, string Host, long Number, Digest? Previous, string Actor, string? Id, string? Name, string Action, string Subject,
    int Status, string? Problem, string Address, int Count, string? Detail);

/// <summary>A page of a day's audit records.</summary>
/// <param name="Records">In the order of their time.</param>
/// <param name="Next">Pass as <c>after</c> to continue; null at the end.</param>
public sealed record AuditPage(IReadOnlyList<AuditRecord> Records, string? Next);
