using Harrier.Broker.Topology;

namespace Harrier.Broker.Queues;

/// <summary>What queues need of the broker around them. Called outside of shard locks.</summary>
internal interface IQueueHost
{
    /// <summary>What exists in a virtual host now, or null when there is none of that name.</summary>
    VirtualHostTopology? Topology(string virtualHost);

    /// <summary>The queue in which messages of an exchange wait until they are routed; null when the exchange is gone.</summary>
    Queue? StagingOf(string virtualHost, Exchange exchange);

    /// <summary>A start for the chances of routing that no other has.</summary>
    ulong NewRouteSeed();

    /// <summary>Takes a queue that has ended out of its topology.</summary>
    void Remove(Queue queue);
}
