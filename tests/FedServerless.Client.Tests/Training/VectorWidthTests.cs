using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FedServerless.Client.Training;
using FedServerless.Model;
using FedServerless.Wire;

namespace FedServerless.Client.Tests.Training;

/// <summary>
/// A processor with registers of 512 bits and one with 256 train the same model, so that a federation of both is repeatable. This program is started
/// again without the wide ones, which only a new process can be.
/// </summary>
public sealed class VectorWidthTests(ITestOutputHelper output)
{
    private const string Digest = "digest of gradients ";

    [Fact]
    public async Task LossAndGradient_WithAndWithout512Bits_GivesTheSameBytes()
    {
        Assert.SkipUnless(Vector512.IsHardwareAccelerated && Vector256.IsHardwareAccelerated, "This machine has no registers of 512 bits.");
        var here = Digests();
        output.WriteLine(Digest + here);
        var program = Path.Combine(AppContext.BaseDirectory, "FedServerless.Client.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        var start = new ProcessStartInfo(program, ["-method", "*Digests_*", "-showLiveOutput", "-explicit", "only"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableAVX512"] = "0";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var there = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == 0, there + await error);
        Assert.Contains(Digest + "512 False " + here, there, StringComparison.Ordinal);
    }

    [Fact(Explicit = true)]
    public void Digests_OfThisProcess_AreWritten() => output.WriteLine($"{Digest}512 {Vector512.IsHardwareAccelerated} {Digests()}");

    private static string Digests()
    {
        ArchitectureSpec[] specs =
        [
            ConvSamples.DigitsNet,
            ConvSamples.Spec([8, 12, 3], [[33, 5], [20, 3]], [70, 5]),
            TrainingSamples.Spec(784, 200, 10),
            TrainingSamples.Spec(33, 47, 31, 7),
            TrainingSamples.Spec(20, 71),
        ];
        return string.Join(' ', specs.Select(spec =>
        {
            var model = Architectures.Initialize(spec, 3);
            var gradient = new float[model.Values.Length];
            BuiltInModel.Bind(model.Layout, ConvSamples.Samples(spec, 70, seed: 4)).LossAndGradient(model, [.. Enumerable.Range(0, 70)], gradient);
            return FedServerless.Wire.Digest.Of(MemoryMarshal.AsBytes<float>(gradient)).ToString();
        }));
    }
}
