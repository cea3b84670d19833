using System.Security.Cryptography;
using System.Text;
using FedServerless.Capacity;
using FedServerless.Wire;

namespace FedServerless.Activities.State;

/// <summary>
/// Where everything is. All state of a federation lies in the object store under these names; nothing else remembers anything.
/// Callers pass names that <see cref="Identifiers.IsValid"/> has seen.
/// </summary>
public static class StoreNames
{
    /// <summary>The run as created; create-once.</summary>
    public static string Run(string run) => $"runs/{run}/run.json";

    /// <summary>
    /// Prefix of the index of runs: one empty object each, so that listing the runs does not list all that is in them. Written
    /// before the run and deleted after it; one without a run means nothing.
    /// </summary>
    public const string RunIndex = "run-index/";

    /// <summary>Present once the run was started; create-once.</summary>
    public static string RunStarted(string run) => $"runs/{run}/started.json";

    /// <summary>What the operator wants of it now; compare-and-swap.</summary>
    public static string RunControl(string run) => $"runs/{run}/control.json";

    /// <summary>How it ended; create-once.</summary>
    public static string RunOutcome(string run) => $"runs/{run}/outcome.json";

    /// <summary>Prefix of its log entries; names sort in the order of events.</summary>
    public static string RunLog(string run) => $"runs/{run}/log/";

    /// <summary>One log entry; create-once. Steps of one round sort by <paramref name="step"/>, then <paramref name="key"/>.</summary>
    public static string LogEntry(string run, int round, int step, string key) => $"{RunLog(run)}{round:D6}-{step:D2}-{key}.json";

    /// <summary>Prefix of what its rounds used.</summary>
    public static string RunUsage(string run) => $"runs/{run}/usage/";

    /// <summary>Prefix of what a round used: an object a process, overwritten by it alone.</summary>
    public static string RoundUsage(string run, int round) => $"{RunUsage(run)}{round:D6}/";

    /// <summary>Prefix of its attempts at recovery.</summary>
    public static string RunRecoveries(string run) => $"runs/{run}/recoveries/";

    /// <summary>One attempt at recovery, counted from 1; create-once. Empty where it was made before attempts said why.</summary>
    public static string RunRecovery(string run, int attempt) => $"{RunRecoveries(run)}{attempt:D6}";

    /// <summary>What the watchdog sees wrong with a run and since when; absent while all is well.</summary>
    public static string RunWatch(string run) => $"runs/{run}/watch.json";

    /// <summary>How far the run's ended workflow instances are purged.</summary>
    public static string RunPurge(string run) => $"runs/{run}/purge.json";

    /// <summary>The 256 prefixes under which a run's uploads lie, see <see cref="ClientUpdates"/>.</summary>
    public static IEnumerable<string> RunUpdates(string run) => Enumerable.Range(0, ReductionPlan.UploadPrefixes).Select(bucket => $"updates/{bucket:x2}/{run}/");

    /// <summary>The 256 prefixes under which a round's uploads lie, see <see cref="ClientUpdates"/>.</summary>
    public static IEnumerable<string> RoundUpdates(string run, int round) => RunUpdates(run).Select(prefix => $"{prefix}{round:D6}/");

    /// <summary>Prefix of the deleted runs that had trained on a population without privacy.</summary>
    public static string UnaccountedRuns(string population) => $"populations/{population}/unaccounted/";

    /// <summary>A deleted run that had published without privacy; create-once, empty. A first budget asks for it.</summary>
    public static string UnaccountedRun(string population, string run) => UnaccountedRuns(population) + run;

    /// <summary>Prefix of a population's privacy ledger; names sort in the order of entries.</summary>
    public static string Ledger(string population) => $"ledger/{population}/";

    /// <summary>One entry, from 1; create-once. The name is the compare-and-swap.</summary>
    public static string LedgerEntry(string population, long number) => $"{Ledger(population)}{number:D8}";

    /// <summary>Prefix of all rounds of a run.</summary>
    public static string Rounds(string run) => $"runs/{run}/rounds/";

    /// <summary>Prefix of one round.</summary>
    public static string Round(string run, int round) => $"runs/{run}/rounds/{round:D6}/";

    /// <summary>The round's plan; create-once.</summary>
    public static string Plan(string run, int round) => Round(run, round) + "plan.json";

    /// <summary>One shard of the cohort that a plan names by digest; content-addressed.</summary>
    public static string CohortShard(string run, int round, Digest cohort, int shard) =>
        $"{Round(run, round)}cohort/{cohort.ToString()[..32]}/{shard:D4}.json";

    /// <summary>When the round opened and must close; create-once.</summary>
    public static string Open(string run, int round) => Round(run, round) + "open.json";

    /// <summary>Prefix of the round's receipts.</summary>
    public static string Receipts(string run, int round) => Round(run, round) + "receipts/";

    /// <summary>A client's receipt; create-once.</summary>
    public static string Receipt(string run, int round, string client) => $"{Receipts(run, round)}{client}.json";

    /// <summary>Exists once the round is closing: a receipt written after it may be left out. Create-once, empty.</summary>
    public static string Closing(string run, int round) => Round(run, round) + "closing";

    /// <summary>The one object that decides the round; create-once.</summary>
    public static string Seal(string run, int round) => Round(run, round) + "seal.json";

    /// <summary>What was chosen for a client in a round that adapts; create-once.</summary>
    public static string Lease(string run, int round, string client) => $"{Round(run, round)}leases/{client}.json";

    /// <summary>Verdicts on one chunk of the sealed updates; create-once.</summary>
    public static string Verdicts(string run, int round, int chunk) => $"{Round(run, round)}verdicts/{chunk:D4}.json";

    /// <summary>Verdicts, norms and final weights; create-once.</summary>
    public static string Accepted(string run, int round) => Round(run, round) + "accepted.json";

    /// <summary>What a robust rule decided about the accepted updates; create-once.</summary>
    public static string Decision(string run, int round) => Round(run, round) + "decision.json";

    /// <summary>
    /// The noised sum of one shard of a private round; create-once. Emptied, never deleted, when the round closes: its name keeps a late copy of the
    /// work from publishing a second draw.
    /// </summary>
    public static string NoisySum(string run, int round, int shard) => $"{NoisySums(run, round)}{shard:D4}";

    /// <summary>Prefix of the noised sums.</summary>
    public static string NoisySums(string run, int round) => Round(run, round) + "noisy/";

    /// <summary>The next clipping norm, of a private round that adapts it; create-once.</summary>
    public static string Clip(string run, int round) => Round(run, round) + "clip.json";

    /// <summary>The salt of a private round's commitment; create-once.</summary>
    public static string Commitment(string run, int round) => Round(run, round) + "commitment.json";

    /// <summary>A slice of a result vector (<c>weights</c> or an optimizer state's name); create-once.</summary>
    public static string Slice(string run, int round, int shard, string vector) => $"{Slices(run, round)}{shard:D4}.{vector}";

    /// <summary>Prefix of the round's slices.</summary>
    public static string Slices(string run, int round) => Round(run, round) + "slices/";

    /// <summary>How the round ended; create-once.</summary>
    public static string RoundOutcome(string run, int round) => Round(run, round) + "outcome.json";

    /// <summary>When evaluation of the round's version opened, of what and by whom; create-once.</summary>
    public static string EvaluationOpen(string run, int round) => Round(run, round) + "evaluation/open.json";

    /// <summary>Prefix of the evaluations.</summary>
    public static string Evaluations(string run, int round) => Round(run, round) + "evaluation/entries/";

    /// <summary>A client's evaluation; create-once.</summary>
    public static string Evaluation(string run, int round, string client) => $"{Evaluations(run, round)}{client}.json";

    /// <summary>Exists once evaluation is closing; create-once, empty.</summary>
    public static string EvaluationClosing(string run, int round) => Round(run, round) + "evaluation/closing";

    /// <summary>The sealed evaluations and their means; create-once.</summary>
    public static string EvaluationSeal(string run, int round) => Round(run, round) + "evaluation/seal.json";

    /// <summary>
    /// Prefix of a client's uploads in a round. It leads with a hash so that a large cohort spreads over the backend's
    /// range partitions.
    /// </summary>
    public static string ClientUpdates(string run, int round, string client)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{run}/{round}/{client}"), hash);
        return $"updates/{Convert.ToHexStringLower(hash[..1])}/{run}/{round:D6}/{client}/";
    }

    /// <summary>
    /// A copy of a round's base model for devices to fetch; create-once. Among the round's uploads, so that whatever removes those
    /// removes it; no client's id has a tilde.
    /// </summary>
    public static string ModelCopy(string run, int round, int copy) => ModelCopies(run, round, copy) + "weights.safetensors";

    /// <summary>A copy of one of the other files that devices fetch a round's base model by; create-once, beside <see cref="ModelCopy"/>.</summary>
    public static string DownloadCopy(string run, int round, int copy, Digest file) => ModelCopies(run, round, copy) + file;

    /// <summary>Prefix of all that is copied for the devices of one copy.</summary>
    public static string ModelCopies(string run, int round, int copy) => ClientUpdates(run, round, $"~model-{copy:D2}");

    /// <summary>
    /// Prefix of a private round's un-noised partial sums. Among the round's uploads, so that the sweep of orphans also finds what a late copy of the work
    /// left after the close and died; no client's id has a tilde.
    /// </summary>
    public static string UnNoisedSums(string run, int round) => ClientUpdates(run, round, "~sums");

    /// <summary>One of them: a coordinate shard over a chunk of clients; create-once.</summary>
    public static string UnNoisedSum(string run, int round, int shard, int chunk) => $"{UnNoisedSums(run, round)}{shard:D4}.chunk{chunk:D6}";

    /// <summary>Header of an update; create-once.</summary>
    public static string UpdateHeader(string run, int round, string client, Digest header) =>
        $"{ClientUpdates(run, round, client)}{header}/header";

    /// <summary>Part of an update's payload; create-once.</summary>
    public static string UpdatePart(string run, int round, string client, Digest header, int part) =>
        $"{ClientUpdates(run, round, client)}{header}/p{part:D4}";

    /// <summary>Prefix of the work that a population's clients can have now.</summary>
    public static string OpenWork(string population) => $"populations/{population}/open/";

    /// <summary>A round that collects updates now. Advertisement only: the round's own objects are the truth.</summary>
    public static string OpenTraining(string population, string run, int round) => $"{OpenWork(population)}{run}~{round:D6}~train";

    /// <summary>A round whose version is being evaluated now.</summary>
    public static string OpenEvaluation(string population, string run, int round) => $"{OpenWork(population)}{run}~{round:D6}~evaluate";

    /// <summary>Prefix of the runs that may be waiting for clients.</summary>
    public static string ActiveRuns(string population) => $"populations/{population}/active/";

    /// <summary>A started run that has not ended, with its workflow instance; for wakes.</summary>
    public static string ActiveRun(string population, string run) => $"{ActiveRuns(population)}{run}.json";

    /// <summary>Prefix of a population's members.</summary>
    public static string Members(string population) => $"populations/{population}/members/";

    /// <summary>Marks an enrolled, unrevoked client of the population.</summary>
    public static string Member(string population, string client) => Members(population) + client;

    /// <summary>Prefix of the pages in which hosts note who was seen.</summary>
    public static string Presence(string population) => $"populations/{population}/presence/";

    /// <summary>A shard of what a population's rounds say of its clients; compare-and-swap.</summary>
    public static string Standings(string population, int shard) => $"populations/{population}/standings/{shard:D2}.json";

    /// <summary>An enrolled client; compare-and-swap.</summary>
    public static string Client(string client) => $"clients/{client}.json";

    /// <summary>Prefix of all clients.</summary>
    public const string Clients = "clients/";

    /// <summary>Prefix of what operators' requests with an idempotency key were answered.</summary>
    public const string Answers = "requests/";

    /// <summary>What one such request was answered, by the hash of its caller and key; compare-and-swap.</summary>
    public static string Answer(Digest request) => $"{Answers}{request}.json";

    /// <summary>Prefix of the audit log; below it names sort by time.</summary>
    public const string Audit = "audit/";

    /// <summary>Prefix of a day's audit records.</summary>
    public static string AuditDay(DateOnly day) => FormattableString.Invariant($"{Audit}{day:yyyy}/{day:MM}/{day:dd}/");

    /// <summary>Prefix of all one-time codes.</summary>
    public const string Enrolments = "enrolments/";

    /// <summary>A one-time code by the hash of its secret; compare-and-swap.</summary>
    public static string Enrolment(Digest secret) => $"{Enrolments}{secret}.json";

    /// <summary>Prefix of all models.</summary>
    public const string Models = "models/";

    /// <summary>Which version is served; compare-and-swap.</summary>
    public static string ModelPointer(string model) => $"models/{model}/pointer.json";

    /// <summary>Prefix of a model's versions.</summary>
    public static string Versions(string model) => $"models/{model}/versions/";

    /// <summary>A version's manifest; create-once.</summary>
    public static string Manifest(string model, string version) => $"{Versions(model)}{version}/manifest.json";

    /// <summary>A version's weights; create-once.</summary>
    public static string Weights(string model, string version) => $"{Versions(model)}{version}/weights.safetensors";

    /// <summary>A version's server-optimizer state; create-once.</summary>
    public static string OptimizerState(string model, string version) => $"{Versions(model)}{version}/optimizer.safetensors";

    /// <summary>The sum of all clients' vectors that a version's solver remembers; create-once.</summary>
    public static string SolverSum(string model, string version) => $"{Versions(model)}{version}/solver.safetensors";

    /// <summary>Prefix of what devices download of a version where that is not its weights as they are.</summary>
    public static string Downloads(string model, string version) => $"{Versions(model)}{version}/downloads/";

    /// <summary>What devices may download of a version under one way to travel; create-once.</summary>
    public static string Downloads(string model, string version, DownloadSpec download)
    {
        ArgumentNullException.ThrowIfNull(download);
        return $"{Downloads(model, version)}{download.Id}.json";
    }

    /// <summary>An operator's upload, by content; create-once.</summary>
    public static string ModelUpload(string model, Digest digest) => $"models/{model}/uploads/{digest}.safetensors";
}
