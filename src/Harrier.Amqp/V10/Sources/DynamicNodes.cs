using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10.Sources;

/// <summary>The queues that were made for links of a connection, the links to and from them, and when they end. Owned by the connection's task.</summary>
internal sealed class DynamicNodes
{
    private readonly Dictionary<Queue, Node> _nodes = [];

    /// <summary>Makes a queue for a link, and keeps it as long as its node properties say.</summary>
    public Queue Declare(ClientSession client, ReadOnlySpan<byte> properties)
    {
        LifetimePolicy policy = NodeProperties.ReadPolicy(properties);
        Queue queue = DynamicNode.Declare(client);
        _nodes.Add(queue, new Node(policy));
        return queue;
    }

    /// <summary>A link to or from a queue has come to be.</summary>
    public void Enter(ClientSession client, Queue queue)
    {
        if (!_nodes.TryGetValue(queue, out Node? node)) return;
        node.LinkCount++;
        if (node is { IsOrphan: true, Policy: LifetimePolicy.DeleteOnNoLinksOrMessages }) client.Commands.Add(new QueueCommand(QueueCommandKind.StayWhenEmpty, queue));
    }

    /// <summary>A link has ended.</summary>
    /// <param name="client">Whose it was.</param>
    /// <param name="queue">What it led to or from.</param>
    /// <param name="isCreator">Whether the queue was made for it.</param>
    public void Leave(ClientSession client, Queue queue, bool isCreator)
    {
        if (!_nodes.TryGetValue(queue, out Node? node)) return;
        node.LinkCount--;
        node.IsOrphan |= isCreator;
        bool hasLinks = node.LinkCount > 0;
        switch (node.Policy)
        {
            case LifetimePolicy.DeleteOnClose when node.IsOrphan:
            case LifetimePolicy.DeleteOnNoLinks when node.IsOrphan && !hasLinks:
                Delete(client, queue);
                break;
            case LifetimePolicy.DeleteOnNoMessages when node.IsOrphan:
            case LifetimePolicy.DeleteOnNoLinksOrMessages when node.IsOrphan && !hasLinks:
                client.Commands.Ask(new QueueCommand(QueueCommandKind.EndWhenEmpty, queue));
                break;
        }
        if (queue.IsDeleted) _nodes.Remove(queue);
    }

    private static void Delete(ClientSession client, Queue queue)
    {
        if (!queue.IsDeleted) client.DeleteQueue(queue.Name, ifUnused: false, ifEmpty: false);
    }

    private sealed class Node(LifetimePolicy policy)
    {
        public LifetimePolicy Policy { get; } = policy;

        public int LinkCount { get; set; }

        /// <summary>Whether the link that it was made for is gone.</summary>
        public bool IsOrphan { get; set; }
    }
}
