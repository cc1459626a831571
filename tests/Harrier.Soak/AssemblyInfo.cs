// Memory is measured for the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
