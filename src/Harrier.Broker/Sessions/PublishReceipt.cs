namespace Harrier.Broker.Sessions;

/// <summary>How a delivery or a publication ended. The names are 1.0's (part 3, section 3.4); 0-9-1 spells them ack, reject, nack.</summary>
public enum Outcome : byte
{
    /// <summary>Done with: the message leaves the queue, or the queue has taken it.</summary>
    Accepted,

    /// <summary>Refused for good.</summary>
    Rejected,

    /// <summary>Not dealt with: the message goes back to its place in the queue.</summary>
    Released,

    /// <summary>Tried in vain: as released, and it counts towards the delivery limit (1.0: modified with delivery-failed; behaviour note 88).</summary>
    Failed,
}

/// <summary>Hears what became of publications, from any thread.</summary>
public interface IPublishSink
{
    /// <summary>One queue has answered for the publication of that number; it is called once per queue that the message was routed to.</summary>
    void OnSettled(ulong number, Outcome outcome);
}

/// <summary>Whom a queue tells that it has taken a message. Empty when the publisher does not want to know.</summary>
public readonly record struct PublishReceipt(IPublishSink? Sink, ulong Number);
