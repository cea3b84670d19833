// Torch's generator and its number of threads belong to the process: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
