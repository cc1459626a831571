namespace Harrier.Broker.Queues;

/// <summary>The messages of a queue that can be delivered: a lane per priority, the highest first. Most queues have one lane.</summary>
internal sealed class ReadyMessages
{
    private readonly ReadyTally _tally = new();
    private Lane?[] _lanes = new Lane?[1];

    // No lane above it holds anything.
    private int _top;

    public int Count => _tally.Count;

    /// <summary>Bytes of all bodies.</summary>
    public long BodyBytes => _tally.BodyBytes;

    /// <summary>Memory of what arrived and was never taken out.</summary>
    public FreshBytes FreshBytes => _tally.Fresh;

    /// <summary>The lanes that there are, the lowest first.</summary>
    public IEnumerable<Lane> Lanes => _lanes.Where(lane => lane is not null)!;

    /// <summary>The lane that the next message comes from; only when there is one.</summary>
    public Lane First
    {
        get
        {
            while (_top > 0 && _lanes[_top] is not { Count: > 0 }) _top--;
            return _lanes[_top]!;
        }
    }

    /// <summary>The lane of a priority.</summary>
    public Lane this[byte number]
    {
        get
        {
            if (number >= _lanes.Length) Array.Resize(ref _lanes, number + 1);
            return _lanes[number] ??= new Lane(number, _tally);
        }
    }

    /// <summary>Adds a message at the end of its lane.</summary>
    public void Add(in QueueEntry entry) => Raise(entry.Lane).Add(in entry);

    /// <summary>Puts a message back in its place.</summary>
    public void Return(in QueueEntry entry) => Raise(entry.Lane).Return(in entry);

    /// <summary>Adds messages that are on disk.</summary>
    public void Add(byte lane, DiskRun run) => Raise(lane).Add(run);

    /// <summary>Gives up everything; how many messages.</summary>
    public int Clear()
    {
        int count = _tally.Count;
        foreach (Lane lane in Lanes) lane.Clear();
        _tally.CountOut(count, _tally.BodyBytes);
        _top = 0;
        return count;
    }

    private Lane Raise(byte number)
    {
        if (number > _top) _top = number;
        return this[number];
    }
}
