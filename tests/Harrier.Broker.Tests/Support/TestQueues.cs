using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Tests.Support;

/// <summary>Makes queues that stand in no virtual host.</summary>
internal sealed class TestQueues
{
    private readonly QueueFactory _factory = new(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1));

    public Queue Create(string name = "q", bool autoDelete = false, QueueType type = QueueType.Classic, ArgumentTable? arguments = null) =>
        _factory.Create("/", new QueueDefinition(name, type, IsDurable: true, IsExclusive: false, autoDelete, arguments ?? ArgumentTable.Empty), QueueSettings.None, null);

    /// <summary>Queues that all live in different shards, as long as there are no more of them than shards.</summary>
    public Queue[] Create(int count) => [.. Enumerable.Range(0, count).Select(i => Create($"q{i}"))];
}
