using FedServerless.Bench;

Benchmark[] benchmarks =
[
    new("weighted-mean", "weighted mean of 100 updates of a million coordinates, beside a plain read of the same bytes", WeightedMeanBenchmark.Run),
    new("codecs", "every codec over ten million deltas, beside a plain read and copy; [--parameters 10000000] [--repeats 7] [--numpy PYTHON]", CodecBenchmark.Run),
    new("robust", "robust rules on 100 updates of a million coordinates; [--clients 100] [--parameters 1000000] [--cores 1] [--repeats 5] [--numpy PYTHON]", RobustBenchmark.Run),
    new("shards", "a sealed round of updates in files, aggregated by the activities under every rule; [--clients 200] [--parameters 6600000] [--at-once 2] [--rules NAME,…]", ShardBenchmark.Measure),
    new("maths", "norms, dot products and server optimizers on a million coordinates", MathsBenchmark.Run),
    new("privacy", "accounting, calibration, discrete noise and the update grid", PrivacyBenchmark.Run),
    new("mnist", "rounds to 97 % on MNIST as in the FedAvg paper; [--lr 0.1,0.2] [--seeds 3] [--split iid|shards]", MnistBenchmark.Run),
    new("solvers", "rounds to 88 % on label-sorted MNIST under each local solver; [--lr 0.02,0.2] [--seeds 3] [--batch 40] [--rounds-max 200]", SolverBenchmark.Run),
    new("mnist-codecs", "accuracy and bytes of every codec on MNIST; --series float32,top-k-int8+feedback,… [--clients 10] [--cohort 10] [--rounds 30] [--seeds 5]", MnistCodecBenchmark.Run),
    new("mnist-codecs-summary", "table and figure of what mnist-codecs wrote; --csv FILE,… [--svg FILE] [--least 0.97] [--target 0.97]", MnistCodecSummary.Run),
    new("round", "whole rounds over HTTP with clients that train nothing; [--clients 10] [--parameters 1000000] [--rounds 10] [--azurite] …", RoundBenchmark.Run),
    new("client", "size, start, memory of a published client; allocations and processor time of a round; [--parameters 1000000] [--rounds 10] [--variants NAME,…] [--codecs NAME,…] …", ClientBenchmark.Run),
    new("mnist-step", "local training and evaluation, time a sample, of networks shaped for MNIST", MnistStepBenchmark.Run),
];

return BenchmarkRunner.Run(benchmarks, args);
