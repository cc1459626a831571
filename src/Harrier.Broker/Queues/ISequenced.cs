namespace Harrier.Broker.Queues;

/// <summary>Something that has a place in a queue.</summary>
internal interface ISequenced
{
    ulong Sequence { get; }
}
