using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class QueueModelTests
{
    private static readonly Gen<QueueStep> Steps = Gen.Frequency(
        (40, Of(QueueAction.Enqueue)), (12, Of(QueueAction.Consume)), (3, Of(QueueAction.Resume)), (5, Of(QueueAction.Cancel)),
        (8, Of(QueueAction.Get)), (25, Of(QueueAction.Settle)), (1, Of(QueueAction.Purge)), (1, Of(QueueAction.Delete)),
        (5, Of(QueueAction.LoseRoom)), (6, Of(QueueAction.RegainRoom)));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_machine_alone_does_what_a_list_would(bool autoDelete) =>
        Properties.ForAllSequences(Steps, steps => Run(steps, autoDelete, new BareDriver()), runs: 300, size: 150);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_queue_in_its_shard_does_what_a_list_would(bool autoDelete) =>
        Properties.ForAllSequences(Steps, steps => Run(steps, autoDelete, new BatchDriver()), runs: 300, size: 150);

    private static Gen<QueueStep> Of(QueueAction action) =>
        Gen.Choose(0, 1 << 20).Zip(Gen.Choose(0, 1 << 20), (a, b) => new QueueStep(action, a, b));

    private static void Run(QueueStep[] steps, bool autoDelete, IQueueDriver driver)
    {
        Queue queue = new TestQueues().Create(autoDelete: autoDelete);
        var model = new QueueModel(queue, driver);
        foreach (QueueStep step in steps) model.Run(step);
        model.Finish();
    }
}
