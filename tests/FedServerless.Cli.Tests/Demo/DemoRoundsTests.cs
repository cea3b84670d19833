using FedServerless.Cli.Demo;
using FedServerless.Cli.Server;
using FedServerless.Cli.Tests.Fakes;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Testing;
using FedServerless.Wire;

namespace FedServerless.Cli.Tests.Demo;

public sealed class DemoRoundsTests
{
    [Fact] // PITFALLS 53: choosing the best round by the held-out digits would make the result look better than it is.
    public async Task FollowAsync_LastRoundIsWorse_IsWhatIsReported()
    {
        var digits = Digits.Read(RepositoryRoot.Path);
        var model = Architectures.Initialize(new ArchitectureSpec { Name = Architectures.Softmax, Inputs = Digits.Features, Outputs = Digits.Classes }, 0);
        var classifier = new DenseClassifier(model.Layout, digits);
        var bad = ModelStateFile.ToBytes(model);
        new LocalSgd().Fit(classifier, model, new TrainingSpec { Epochs = 5, LearningRate = 0.1 }, seed: 0, TestContext.Current.CancellationToken);
        var good = ModelStateFile.ToBytes(model);
        var server = new FakeServer()
            .On("GET runs/demo/log?after=0", new LogPage([Views.Entry(1), Views.Entry(2), Views.Entry(3) with { Kind = "runEnded" }], 3), WireJson.Default.LogPage)
            .On("GET runs/demo", Views.Run(RunStates.Completed, published: 2), WireJson.Default.RunView);
        foreach (var (version, file) in new[] { ("demo-r1", good), ("demo-r2", bad) })
        {
            var view = Views.Version(file, version);
            server.On($"GET models/digits/versions/{version}", view with { Weights = view.Weights with { Url = $"/blobs/{version}" } }, WireJson.Default.VersionView)
                .On($"GET /blobs/{version}", 200, file);
        }

        using var shell = new TestShell(server);
        using var client = new OperatorClient(new ServerAddress(new Uri(FakeServer.Url), FakeServer.Key, "a test"), server);
        var rounds = new DemoRounds(shell.Shell, client, new DemoOptions(), digits);

        await rounds.FollowAsync("demo", TestContext.Current.CancellationToken);

        Assert.InRange(classifier.Evaluate(model, CancellationToken.None).Accuracy!.Value, 0.8, 1);
        Assert.InRange(rounds.Last!.Accuracy!.Value, 0, 0.3);
    }
}
