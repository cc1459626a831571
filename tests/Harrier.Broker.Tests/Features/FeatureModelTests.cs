using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Xunit;

namespace Harrier.Broker.Tests.Features;

/// <summary>All that can happen to a message, together: time to live, priorities, requeue, dead-lettering, limits and restarts, against a list.</summary>
public class FeatureModelTests
{
    private static readonly Gen<FeatureStep> Steps = StepsWith(checkpoints: 5);

    // So many that segment files are put together.
    private static readonly Gen<FeatureStep> CheckpointSteps = StepsWith(checkpoints: 40);

    [Theory]
    [InlineData("plain")]
    [InlineData("plain", true)]
    [InlineData("dead")]
    [InlineData("dead", true)]
    [InlineData("priorities")]
    [InlineData("limited")]
    [InlineData("limited", true)]
    [InlineData("refusing")]
    [InlineData("limit of deliveries")]
    [InlineData("retry")]
    [InlineData("retry", true)]
    public void A_queue_with_many_features_does_what_a_list_would(string way, bool areLarge = false)
    {
        QueueSettings settings = way switch
        {
            "plain" => QueueSettings.None,
            "dead" => FeatureModel.DeadLettering with { MessageTtlMs = 200 },
            "priorities" => FeatureModel.DeadLettering with { PriorityMax = 4 },
            "limited" => FeatureModel.DeadLettering with { PriorityMax = 2, LengthMax = 8, MessageTtlMs = 300 },
            "refusing" => FeatureModel.DeadLettering with { LengthMax = 5, Overflow = Overflow.RejectPublishDeadLetter },
            "limit of deliveries" => FeatureModel.DeadLettering with { DeliveryLimit = 1, PriorityMax = 1, LengthMax = 10 },
            _ => FeatureModel.DeadLettering with { DeliveryLimit = 2, DelayedRetry = DelayedRetry.Failed, MessageTtlMs = 400 },
        };
        Properties.ForAllSequences(Steps, steps => Run(steps, settings, areLarge), runs: 60, size: 100);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_that_move_from_file_to_file_do_what_a_list_would(bool areLarge)
    {
        QueueSettings settings = FeatureModel.DeadLettering with { PriorityMax = 1, MessageTtlMs = 2000, DelayedRetry = DelayedRetry.All };
        Properties.ForAllSequences(CheckpointSteps, steps => Run(steps, settings, areLarge), runs: 60, size: 200);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transient_queues_do_what_a_list_would(bool areLarge)
    {
        QueueSettings settings = FeatureModel.DeadLettering with { PriorityMax = 1, MessageTtlMs = 500, DeliveryLimit = 1, LengthMax = 20 };
        Properties.ForAllSequences(Steps, steps => Run(steps, settings, areLarge, isTransient: true), runs: 100, size: 100);
    }

    private static Gen<FeatureStep> StepsWith(int checkpoints) => Gen.Frequency(
        (40, Of(FeatureAction.Publish)), (20, Of(FeatureAction.Get)), (15, Of(FeatureAction.Settle)), (10, Of(FeatureAction.Advance)),
        (checkpoints, Of(FeatureAction.Checkpoint)), (3, Of(FeatureAction.CheckpointMeanwhile)), (3, Of(FeatureAction.Restart)), (2, Of(FeatureAction.ChangeTtl)),
        (2, Of(FeatureAction.ChangeLimit)), (1, Of(FeatureAction.Purge)), (1, Of(FeatureAction.Pause)), (2, Of(FeatureAction.Consume)));

    private static Gen<FeatureStep> Of(FeatureAction action) =>
        Gen.Choose(0, 1 << 20).Zip(Gen.Choose(0, 1 << 20), (a, b) => new FeatureStep(action, a, b));

    private static void Run(FeatureStep[] steps, QueueSettings settings, bool areLarge, bool isTransient = false)
    {
        using var bench = new FeatureBench(isTransient);
        var model = new FeatureModel(bench, settings, areLarge);
        foreach (FeatureStep step in steps) model.Run(step);
        model.Finish();
    }
}
