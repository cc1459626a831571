using Harrier.Broker.Sessions;
using Harrier.Storage.Log;

namespace Harrier.Broker.Queues;

/// <summary>
/// A session's door to the queues: collects commands while the session works through what it has read, and runs them shard by shard, so that a
/// shard is locked once per batch and an output flushed once. Commands to one queue keep their order. Owned by one task.
/// </summary>
public sealed class CommandBatch
{
    // Enough to make the lock and the flush cheap; little enough that no shard is held for long.
    private const int CommandsMax = 512;

    // Messages that move on in one go. A batch by itself causes fewer.
    private const int DeparturesMax = 4096;

    private readonly Chain[] _chains = new Chain[ShardSet.Count];
    private readonly List<Shard> _touched = [];
    private readonly List<QueueConsumer> _flushes = [];
    private QueueCommand[] _commands = new QueueCommand[8];
    private int[] _next = new int[8];
    private int _count;
    private Forwarder? _forwarder;

    /// <summary>A queue that a run has filled faster than its consumers take from it, or null. For the session to read and to clear.</summary>
    public Queue? BackedUp { get; set; }

    /// <summary>The last ticket of the log that somebody may want to wait for: what this session has published, purged or committed. 0 for none.</summary>
    public long Ticket { get; private set; }

    /// <summary>Receipts to hand out once the locks are left.</summary>
    internal List<(PublishReceipt Receipt, Outcome Outcome)> Receipts { get; } = [];

    /// <summary>Messages that leave their queue for others, once the locks are left.</summary>
    internal List<Departure> Departures { get; } = [];

    /// <summary>Queues that ended of themselves, to be taken out of the topology once the locks are left.</summary>
    internal List<Queue> Ended { get; } = [];

    internal ref readonly QueueCommand this[int index] => ref _commands[index];

    internal int Next(int index) => _next[index];

    /// <summary>Adds a command; runs the batch when it is full.</summary>
    public void Add(in QueueCommand command)
    {
        Append(in command);
        if (_count == CommandsMax) Run();
    }

    /// <summary>Runs what was added.</summary>
    public void Run()
    {
        if (_count == 0) return;
        try
        {
            foreach (Shard shard in _touched)
            {
                lock (shard.Gate) shard.Apply(this, _chains[shard.Index].First);
            }
        }
        finally
        {
            Clear();
            Finish(); // whatever was carried out is owed its flush and its receipt, even when a later shard has failed
        }
    }

    /// <summary>
    /// Runs what was added, then the commands as one: nobody sees a part of them. For transactions. Locks are taken in the order of the shards, so
    /// two of these cannot wait for each other.
    /// </summary>
    /// <returns>
    /// False when a queue refuses messages and has no room for those that it was to get, or a delivery is not its receiver's any more that must be: then nothing
    /// is done, and the messages are the caller's still.
    /// </returns>
    public bool RunAtomically(ReadOnlySpan<QueueCommand> commands)
    {
        Run();
        try
        {
            return RunGroup(commands, isAwaited: true);
        }
        finally
        {
            Finish();
        }
    }

    /// <param name="commands">What is done as one.</param>
    /// <param name="isAwaited">Whether somebody waits until it is durable, even if it is nothing but acknowledgements, and until then may be told that it is refused.</param>
    private bool RunGroup(ReadOnlySpan<QueueCommand> commands, bool isAwaited)
    {
        foreach (ref readonly QueueCommand command in commands) Append(in command);
        _touched.Sort(static (a, b) => a.Index.CompareTo(b.Index));
        int entered = 0;
        try
        {
            foreach (Shard shard in _touched)
            {
                shard.Gate.Enter();
                entered++;
            }
            if (isAwaited && !(HasRoomFor(commands) && AreUnacked(commands))) return false;
            foreach (Shard shard in _touched) shard.Apply(this, _chains[shard.Index].First, isGroup: true);
            return true;
        }
        finally
        {
            AppendGroup(entered, isAwaited);
            for (int i = 0; i < entered; i++) _touched[i].Gate.Exit();
            Clear();
        }
    }

    private static bool AreUnacked(ReadOnlySpan<QueueCommand> commands)
    {
        foreach (ref readonly QueueCommand command in commands)
        {
            bool mustBe = command.Kind == QueueCommandKind.Settle && (command.Flags & QueueCommandFlags.IfUnacked) != QueueCommandFlags.None;
            if (mustBe && !command.Queue.Machine.IsDeleted && !command.Queue.Machine.IsUnacked(command.Delivery)) return false;
        }
        return true;
    }

    private static bool HasRoomFor(ReadOnlySpan<QueueCommand> commands)
    {
        Dictionary<Queue, (int Count, long Bytes)>? wanted = null; // seldom anybody refuses
        foreach (ref readonly QueueCommand command in commands)
        {
            bool mayRefuse = command is { Kind: QueueCommandKind.Enqueue, Flags: QueueCommandFlags.None } && command.Queue.Machine.MayRefuse;
            if (!mayRefuse) continue;
            (int count, long bytes) = (wanted ??= []).GetValueOrDefault(command.Queue);
            (count, bytes) = wanted[command.Queue] = (count + 1, bytes + command.Message!.BodySize);
            if (!command.Queue.Machine.HasRoomFor(count, bytes)) return false;
        }
        return true;
    }

    /// <summary>Runs what was added, then the command, and answers it.</summary>
    public QueueAnswer Ask(in QueueCommand command)
    {
        Run();
        Shard shard = command.Queue.Shard;
        try
        {
            lock (shard.Gate) return shard.Ask(in command, this);
        }
        finally
        {
            Finish();
        }
    }

    internal void FlushLater(QueueConsumer consumer)
    {
        if (consumer.IsFlushDue) return;
        consumer.IsFlushDue = true;
        _flushes.Add(consumer);
    }

    internal void OnLogged(long ticket) => Ticket = Math.Max(Ticket, ticket);

    // One group of units, over all shards, while all of them are locked: it is durable as a whole or not at all.
    private void AppendGroup(int entered, bool isAwaited)
    {
        LogUnit? group = null;
        foreach (Shard shard in _touched.Take(entered))
        {
            if (shard.Log?.Take() is not { } unit) continue;
            if (group is null) group = unit;
            else group.Chain(unit);
        }
        if (group is null) return;
        group.IsAwaited |= isAwaited;
        long ticket = _touched[0].Log!.Append(group);
        if (isAwaited) OnLogged(ticket);
    }

    private void Append(in QueueCommand command)
    {
        if (_count == _commands.Length) Grow();
        int index = _count++;
        _commands[index] = command;
        _next[index] = -1;
        ref Chain chain = ref _chains[command.Queue.Shard.Index];
        if (chain.Length++ == 0)
        {
            chain.First = index;
            _touched.Add(command.Queue.Shard);
        }
        else _next[chain.Last] = index;
        chain.Last = index;
    }

    private void Finish()
    {
        if (_flushes.Count > 0) Flush();
        foreach ((PublishReceipt receipt, Outcome outcome) in Receipts) receipt.Sink!.OnSettled(receipt.Number, outcome);
        Receipts.Clear();
        if (Departures.Count > 0) Forward();
        foreach (Queue queue in Ended) queue.Shard.Host?.Remove(queue);
        Ended.Clear();
    }

    // What arrives may make others leave: they join the list. It ends, for a message does not go round without somebody's refusing it (note 101), but queues that
    // dead-letter to each other can make very many of one: those beyond a number wait for their turn.
    private void Forward()
    {
        _forwarder ??= new Forwarder(Departures[0].Queue.Shard.Host);
        int done = 0;
        try
        {
            while (done < Departures.Count && done < DeparturesMax)
            {
                done += _forwarder.Next(Departures, done, out ReadOnlySpan<QueueCommand> group);
                RunGroup(group, isAwaited: false);
                if (_flushes.Count > 0) Flush();
            }
            for (; done < Departures.Count; done++) Postpone(Departures[done]);
        }
        finally
        {
            for (; done < Departures.Count; done++) Departures[done].Message.Release(); // only when a queue has failed: they stay where they are
            Departures.Clear();
        }
    }

    private void Postpone(Departure departure)
    {
        departure.Message.Release();
        if (departure.Sequence == 0) return; // refused by its queue and not dead-lettered for want of room: at-most-once, as RabbitMQ
        RunGroup([new QueueCommand(QueueCommandKind.Retain, departure.Queue, Sequence: departure.Sequence)], isAwaited: false);
    }

    private void Flush()
    {
        // First the marks, then a fence, then the flushes: who writes after that sees the mark gone and flushes itself; who wrote before is seen here.
        foreach (QueueConsumer consumer in _flushes) consumer.IsFlushDue = false;
        Interlocked.MemoryBarrier();
        foreach (QueueConsumer consumer in _flushes) consumer.Output.Flush();
        _flushes.Clear();
    }

    private void Clear()
    {
        foreach (Shard shard in _touched) _chains[shard.Index] = default;
        _touched.Clear();
        Array.Clear(_commands, 0, _count);
        _count = 0;
    }

    private void Grow()
    {
        Array.Resize(ref _commands, _commands.Length * 2);
        Array.Resize(ref _next, _next.Length * 2);
    }

    private struct Chain
    {
        public int First;
        public int Last;
        public int Length;
    }
}
