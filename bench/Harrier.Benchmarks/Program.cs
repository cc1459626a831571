// Micro-benchmarks of the parts that every message passes: make micro, or with a filter: -- --filter '*Routing*'
// The log alone on this disk: -- group-commit [directory [record bytes [window [records of a unit [seconds]]]]]
// What queues do by themselves: -- features RAWLOAD [expiry|delay|trim] [messages [bytes]]
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using Harrier.Benchmarks;

if (args is ["group-commit", ..])
{
    GroupCommit.Run(args[1..]);
    return;
}
if (args is ["features", ..])
{
    await FeatureRuns.RunAsync(args[1..]);
    return;
}
IConfig config = DefaultConfig.Instance.AddDiagnoser(MemoryDiagnoser.Default).AddJob(Job.ShortRun);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args, config);
