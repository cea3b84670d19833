using System.Numerics;
using System.Runtime.Intrinsics;
using FedServerless.Core.Probe;

// Prints a digest of what a kernel computes, then the vector widths it had. Tests run it under several settings of the
// runtime's vector switches, which only a new process can change, and compare the first line.
var probes = new Dictionary<string, Func<string>>(StringComparer.Ordinal)
{
    ["codecs"] = CodecProbe.Run,
    ["optimizers"] = OptimizerProbe.Run,
    ["reductions"] = ReductionProbe.Run,
    ["robust"] = RobustProbe.Run,
    ["weighted-mean"] = WeightedMeanProbe.Run,
};

if (args is not [var name] || !probes.TryGetValue(name, out var probe))
{
    Console.Error.WriteLine($"Expected the name of one probe: {string.Join(", ", probes.Keys)}.");
    return 1;
}

Console.WriteLine(probe());
Console.WriteLine(
    $"Vector<byte>={Vector<byte>.Count} {Vector.IsHardwareAccelerated}, 128 {Vector128.IsHardwareAccelerated}, 256 {Vector256.IsHardwareAccelerated}, 512 {Vector512.IsHardwareAccelerated}");
return 0;
