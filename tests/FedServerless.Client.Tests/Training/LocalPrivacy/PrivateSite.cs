using FedServerless.Client.Tests.Support;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Privacy;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training.LocalPrivacy;

/// <summary>A site with four examples on a line, its ledger in a folder of its own.</summary>
internal sealed class PrivateSite : IDisposable
{
    public static readonly TrainingSpec OneStep = new() { LearningRate = 1 };

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"fed-ledger-{Guid.NewGuid():N}");

    public PrivateSite() => Options = new DpSgdOptions
    {
        LedgerFile = Path.Combine(_folder, "ledger"),
        Samples = 4,
        SamplingRate = 1,
        ClipNorm = 1,
        NoiseMultiplier = 4,
        Budget = new PrivacySpend(3, 1e-3),
    };

    public DpSgdOptions Options { get; set; }

    public QuadraticModel Objective { get; set; } = new(1, [1f], [2f], [3f], [4f]);

    public string LedgerFile => Options.LedgerFile;

    public DpSgdReport Report => new DpSgd(Options).Report();

    public ModelState Fit(int round = 1, EntropySource? entropy = null, TrainingSpec? training = null, string run = "run", CancellationToken token = default)
    {
        var model = Objective.State(new float[Objective.Layout.ParameterCount]);
        new DpSgd(Options, entropy ?? new SeededEntropy(round)).Fit(Objective, model, training ?? OneStep, run, round, token);
        return model;
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}
