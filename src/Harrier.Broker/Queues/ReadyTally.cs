namespace Harrier.Broker.Queues;

/// <summary>What the lanes of a queue hold together.</summary>
internal sealed class ReadyTally
{
    /// <summary>Messages that are ready.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of their bodies.</summary>
    public long BodyBytes { get; private set; }

    /// <summary>Memory of what arrived and was never taken out.</summary>
    public FreshBytes Fresh { get; set; }

    public void CountIn(int bodySize) => CountIn(1, bodySize);

    public void CountIn(int count, long bodyBytes)
    {
        Count += count;
        BodyBytes += bodyBytes;
    }

    public void CountOut(int bodySize) => CountOut(1, bodySize);

    public void CountOut(int count, long bodyBytes)
    {
        Count -= count;
        BodyBytes -= bodyBytes;
    }
}
