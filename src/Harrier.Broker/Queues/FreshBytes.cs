namespace Harrier.Broker.Queues;

/// <summary>
/// Memory of messages that a checkpoint can move out of it: those that arrived and were never taken out of their queue. What the log has is counted apart, for it
/// has to leave memory soon so that the log can be cut; the rest may stay while there is room.
/// </summary>
public readonly record struct FreshBytes(long Logged, long Unlogged)
{
    public static FreshBytes operator +(FreshBytes a, FreshBytes b) => new(a.Logged + b.Logged, a.Unlogged + b.Unlogged);

    public static FreshBytes operator -(FreshBytes a, FreshBytes b) => new(a.Logged - b.Logged, a.Unlogged - b.Unlogged);

    internal static FreshBytes Of(in QueueEntry entry) => entry.IsLogged ? new FreshBytes(entry.Message!.Footprint, 0) : new FreshBytes(0, entry.Message!.Footprint);
}
