using FedServerless.Bench;

Benchmark[] benchmarks =
[
    new("weighted-mean", "weighted mean of 100 updates of a million coordinates, beside a plain read of the same bytes", WeightedMeanBenchmark.Run),
    new("maths", "norms, dot products and server optimizers on a million coordinates", MathsBenchmark.Run),
];

return BenchmarkRunner.Run(benchmarks, args);
