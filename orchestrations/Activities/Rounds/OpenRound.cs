using FedServerless.Activities.Models;
using FedServerless.Activities.Models.Downloads;
using FedServerless.Activities.Runs;
using FedServerless.Activities.State;
using FedServerless.Storage;
using FedServerless.Workflows.Engine;
using FedServerless.Workflows.Rounds;

namespace FedServerless.Activities.Rounds;

/// <summary>Step 3: fixes the deadline, once, and advertises the round to clients.</summary>
internal sealed class OpenRound(IObjectStore store, DownloadPreparation downloads, IRoundBell bell, RunLog log, TimeProvider time) : IActivity<RoundInput, CollectionOpened>
{
    /// <summary>Copies made at a time; each holds two blocks.</summary>
    private const int CopiesAtOnce = 4;

    public async Task<CollectionOpened> RunAsync(RoundInput input, CancellationToken cancellationToken)
    {
        var plan = (await store.GetAsync(StoreNames.Plan(input.Run, input.Round), StoreJson.Default.RoundPlan, cancellationToken)).Value;
        if ((plan.Download is not null || plan.ModelCopies > 1) && await store.HeadAsync(StoreNames.Seal(input.Run, input.Round), cancellationToken) is null)
        {
            // Before anybody is told of the round.
            var served = await downloads.PrepareAsync(plan, cancellationToken);
            await CopyAsync(plan, served?.Files ?? [plan.Base], cancellationToken);
        }

        var now = time.GetUtcNow();
        var open = await store.CreateOnceAsync(
            StoreNames.Open(input.Run, input.Round),
            new OpenDocument(now, now.AddSeconds(plan.DeadlineSeconds)),
            StoreJson.Default.OpenDocument,
            cancellationToken);

        var advertisement = StoreNames.OpenTraining(plan.Population, input.Run, input.Round);
        await store.PutBytesAsync(advertisement, default, PutCondition.Overwrite, cancellationToken);
        if (await store.HeadAsync(StoreNames.Seal(input.Run, input.Round), cancellationToken) is not null)
        {
            // A stale copy of the workflow must not bring a decided round back.
            await store.DeleteAsync(advertisement, cancellationToken);
        }

        await log.WriteAsync(
            input.Run, input.Round, LogKind.RoundOpened, $"Round {input.Round} is open for {plan.DeadlineSeconds} s.", null, null, cancellationToken);
        bell.Ring(plan.Population);
        return new CollectionOpened(open.Value.OpenedAt, open.Value.Deadline);
    }

    /// <summary>More devices than one blob can serve fetch from copies, made before anybody is told of the round.</summary>
    private async Task CopyAsync(RoundPlan plan, IEnumerable<StoredArtifact> files, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = CopiesAtOnce, CancellationToken = cancellationToken };
        foreach (var file in files)
        {
            var isModel = file.Digest == plan.Base.Digest;
            var copies = isModel ? plan.ModelCopies : plan.DownloadCopies;
            await Parallel.ForAsync(0, copies <= 1 ? 0 : copies, options, async (copy, token) =>
            {
                await using var stream = new SliceStream(store, default, [file.Object]);
                var name = isModel ? StoreNames.ModelCopy(plan.Run, plan.Round, copy) : StoreNames.DownloadCopy(plan.Run, plan.Round, copy, file.Digest);
                var put = await store.PutAsync(name, stream, file.Bytes, PutCondition.CreateOnce, token);
                if (put.Written && stream.ReadDigest() != file.Digest)
                {
                    throw new InvalidDataException($"'{file.Object}' is not the file that the round names.");
                }
            });
        }
    }
}
