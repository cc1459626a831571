// Brokers and clients share two cores; what is timed here is when a broker dies.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
