using FedServerless.Client.Tests.Support;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

public sealed class PrivateDigitsTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"fed-ledger-{Guid.NewGuid():N}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Ten sites of about 450 digits, each under ε ≤ 4 at δ = 1e-4 for all twenty rounds; about .90, and .95 without noise.
    [Fact]
    public async Task Digits_TenSitesUnderLocalPrivacy_StillLearn()
    {
        var (training, heldOut) = TrainingSamples.Digits.Split(0.2, seed: 1);
        var sites = Partition.Iid(training.Count, 10, seed: 1).Select((indices, site) => Site(training.Subset(indices), site)).ToArray();
        var architecture = TrainingSamples.Spec(64, 10);
        var model = Architectures.Initialize(architecture, 0);
        for (var round = 1; round <= 20; round++)
        {
            var sum = new float[model.Values.Length];
            foreach (var site in sites)
            {
                var local = model.Clone();
                var context = new FitContext { Run = "digits", Round = round, Model = local, Training = new TrainingSpec { LearningRate = 2 } };
                await site.FitAsync(context, CancellationToken.None);
                for (var i = 0; i < sum.Length; i++)
                {
                    sum[i] += local.Values[i] / sites.Length;
                }
            }

            sum.CopyTo(model.Values, 0);
        }

        var accuracy = new DenseClassifier(model.Layout, heldOut).Evaluate(model, CancellationToken.None).Accuracy;
        TestContext.Current.SendDiagnosticMessage($"accuracy {accuracy:F4} at epsilon {sites[0].Report().Spent.Epsilon:F3}");
        Assert.All(sites, site => Assert.InRange(site.Report().Spent.Epsilon, 2, 4));
        Assert.InRange(accuracy!.Value, 0.86, 1);
    }

    private DpSgdTrainer Site(LabelledSamples samples, int site) => new(
        layout => new DenseClassifier(layout, samples),
        new DpSgdOptions
        {
            LedgerFile = Path.Combine(_folder, $"{site}"),
            Samples = 450,
            SamplingRate = 0.1,
            ClipNorm = 1,
            NoiseMultiplier = 2,
            Budget = new PrivacySpend(4, 1e-4),
        },
        new SeededEntropy(site));
}
