using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>Consumers with a filter and consumers that browse, among ordinary ones: in memory, on disk and over restarts, against a list.</summary>
public class FilteringModelTests
{
    private static readonly Gen<FilteringStep> Steps = Gen.Frequency(
        (40, Of(FilteringAction.Publish)), (25, Of(FilteringAction.Settle)), (3, Of(FilteringAction.Get)), (8, Of(FilteringAction.Toggle)), (5, Of(FilteringAction.Checkpoint)),
        (3, Of(FilteringAction.CheckpointMeanwhile)), (5, Of(FilteringAction.Advance)), (3, Of(FilteringAction.Restart)), (1, Of(FilteringAction.Squeeze)), (2, Of(FilteringAction.Browse)));

    [Theory]
    [InlineData("plain")]
    [InlineData("plain", true)]
    [InlineData("dead")]
    [InlineData("dead", true)]
    [InlineData("retry")]
    [InlineData("retry", true)]
    [InlineData("transient")]
    [InlineData("transient", true)]
    public void Everybody_gets_what_a_list_would_give(string way, bool areLarge = false)
    {
        QueueSettings settings = way switch
        {
            "plain" => QueueSettings.None,
            "dead" => FeatureModel.DeadLettering with { PriorityMax = 2 },
            _ => FilteringModel.Retrying,
        };
        Properties.ForAllSequences(Steps, steps => Run(steps, settings, areLarge, isTransient: way == "transient"), runs: 60, size: 150);
    }

    private static Gen<FilteringStep> Of(FilteringAction action) =>
        Gen.Choose(0, 1 << 20).Zip(Gen.Choose(0, 1 << 20), (a, b) => new FilteringStep(action, a, b));

    private static void Run(FilteringStep[] steps, QueueSettings settings, bool areLarge, bool isTransient)
    {
        using var bench = new FeatureBench(isTransient);
        var model = new FilteringModel(bench, settings, areLarge);
        foreach (FilteringStep step in steps) model.Run(step);
        model.Finish();
    }
}
