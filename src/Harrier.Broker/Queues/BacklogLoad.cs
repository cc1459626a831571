using Harrier.Broker.Messages;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>What is read from disk for a queue.</summary>
internal enum BacklogLoadKind : byte
{
    /// <summary>The next messages of a run.</summary>
    Run,

    /// <summary>Single messages that went back to their place in the queue.</summary>
    Returned,

    /// <summary>Single messages that are on their way out of the queue, to where dead letters go.</summary>
    Leaving,

    /// <summary>The next page of a run's timetable.</summary>
    Times,

    /// <summary>Messages that somebody looks at; the queue does not care.</summary>
    Browse,

    /// <summary>Messages that a consumer looks through for its own.</summary>
    Search,
}

/// <summary>
/// One reading from disk: what a queue asks for, carried out outside of any lock, and what came of it. There is at most one of messages per lane at a time, for nothing
/// may overtake them.
/// </summary>
public sealed class BacklogLoad
{
    private readonly TaskCompletionSource _applied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Message> _scattered = [];

    private BacklogLoad(Queue queue, BacklogLoadKind kind) => (Queue, Kind) = (queue, kind);

    public Queue Queue { get; }

    /// <summary>Ends when the queue has what was read.</summary>
    public Task WhenApplied => _applied.Task;

    /// <summary>Whether the queue still waited for it when it came.</summary>
    public bool IsWanted { get; internal set; }

    /// <summary>Why it failed, or null.</summary>
    public Exception? Failure { get; private set; }

    internal BacklogLoadKind Kind { get; }

    /// <summary>Whether the queue waits for it before it removes more.</summary>
    internal bool IsPaced { get; private init; }

    /// <summary>The lane that waits for it.</summary>
    internal byte Lane { get; private init; }

    /// <summary>The run that is read on, or null when single messages are read.</summary>
    internal DiskRun? Run { get; private init; }

    internal int BytesMax { get; private init; }

    /// <summary>The part of a file to be looked at.</summary>
    internal RunPart? Part { get; private init; }

    /// <summary>Single messages to be read, or what was read of a run, in order.</summary>
    internal List<QueueEntry> Entries { get; private init; } = [];

    /// <summary>The timetable that is read on, and the page that was read.</summary>
    internal Timetable? Times { get; private init; }

    internal TimetablePage? Page { get; private set; }

    /// <summary>What a consumer looks at.</summary>
    internal SearchTurn? Turn { get; private init; }

    /// <summary>Where the run is to be read on.</summary>
    internal long NextOffset { get; private set; }

    /// <summary>Bytes of messages that were passed over.</summary>
    internal long GoneBytes { get; private set; }

    /// <summary>Reads on in a run.</summary>
    internal static BacklogLoad OfRun(Queue queue, byte lane, DiskRun run, int bytesMax) =>
        new(queue, BacklogLoadKind.Run) { Lane = lane, Run = run, BytesMax = bytesMax };

    /// <summary>Reads messages that went back to their place in the queue and are out of memory.</summary>
    internal static BacklogLoad OfScattered(Queue queue, byte lane, List<QueueEntry> entries) =>
        new(queue, BacklogLoadKind.Returned) { Lane = lane, Entries = entries };

    /// <summary>Reads messages that are to leave the queue for somewhere else.</summary>
    internal static BacklogLoad OfLeaving(Queue queue, List<QueueEntry> entries, bool isPaced) =>
        new(queue, BacklogLoadKind.Leaving) { Entries = entries, IsPaced = isPaced };

    /// <summary>Reads a part of a file for somebody who looks.</summary>
    internal static BacklogLoad OfPart(Queue queue, byte lane, RunPart part, int bytesMax) =>
        new(queue, BacklogLoadKind.Browse) { Lane = lane, Part = part, BytesMax = bytesMax };

    /// <summary>Reads single messages for somebody who looks.</summary>
    internal static BacklogLoad OfSingle(Queue queue, List<QueueEntry> entries) => new(queue, BacklogLoadKind.Browse) { Entries = entries };

    /// <summary>Looks for messages that a consumer wants.</summary>
    internal static BacklogLoad OfSearch(Queue queue, SearchTurn turn) => new(queue, BacklogLoadKind.Search) { Turn = turn };

    /// <summary>Reads on in a timetable.</summary>
    internal static BacklogLoad OfTimes(Queue queue, Timetable times) => new(queue, BacklogLoadKind.Times) { Times = times };

    /// <summary>Reads, and gives the queue what was read; why that was not possible, or null.</summary>
    internal Exception? Carry(MessageFormats formats)
    {
        Read(formats);
        var batch = new CommandBatch();
        batch.Add(new QueueCommand(QueueCommandKind.Loaded, Queue, Load: this));
        try
        {
            batch.Run();
            return IsWanted ? Failure : null;
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            Applied();
        }
    }

    /// <summary>Does the reading. Whatever goes wrong is for the queue to know.</summary>
    internal void Read(MessageFormats formats)
    {
        try
        {
            switch (Kind)
            {
                case BacklogLoadKind.Run: ReadPart(Run!.File, Run.Next, Run.End, Run.IsRecovered, formats); break;
                case BacklogLoadKind.Browse when Part is { } part: ReadPart(part.File, part.From, part.End, part.IsRecovered, formats); break;
                case BacklogLoadKind.Search: Turn!.Read(Queue, formats); break;
                case BacklogLoadKind.Times: Page = Timetable.Read(Times!.File, Times.Next, Times.End, Queue.Id.Value); break;
                default: ReadScattered(formats); break;
            }
        }
        catch (Exception e)
        {
            Failure = e;
            Discard();
            if (HoldsEntries) Entries.Clear();
            _scattered.Clear();
        }
    }

    // What was read of a run or part is in the entries; of single messages these say only where they stand.
    private bool HoldsEntries => Run is not null || Part is not null;

    private void Applied() => _applied.SetResult();

    /// <summary>The single messages, now in memory. The queue may look at <see cref="Entries"/> while they are read, so they are put together only here.</summary>
    internal IEnumerable<QueueEntry> TakeScattered() => Entries.Select((entry, i) => entry with { Message = _scattered[i] });

    /// <summary>Gives up what was read and nobody wants. Its place on disk has been given up with the queue's contents.</summary>
    internal void Discard()
    {
        foreach (Message message in _scattered) message.Release();
        Turn?.Release();
        if (!HoldsEntries) return;
        foreach (QueueEntry entry in Entries) entry.Message!.Release();
    }

    private void ReadPart(SegmentFile file, long from, long to, bool isRecovered, MessageFormats formats)
    {
        using SegmentRecords records = file.Read(from, to, BytesMax);
        while (records.TryMoveNext())
        {
            SegmentKey key = records.Key;
            if (key.QueueId != Queue.Id.Value) throw file.Damaged(records.Offset);
            bool isTransient = (key.Flags & SegmentFlags.Transient) != SegmentFlags.None;
            if (isRecovered && isTransient)
            {
                GoneBytes += records.Size;
                continue;
            }
            Message message = StoredMessage.Read(records.Payload, formats);
            Entries.Add(new QueueEntry(message, key.Sequence, Queue.IsLogged && !isTransient, Lane)
            {
                AcquiredCount = key.AcquiredCount,
                DeliveryCount = key.DeliveryCount,
                Stored = new StoredAt(file, checked((uint)records.Offset), records.Size),
            });
        }
        NextOffset = records.NextOffset;
    }

    private void ReadScattered(MessageFormats formats)
    {
        foreach (QueueEntry entry in Entries)
        {
            using SegmentRecords records = entry.Stored.File!.Read(entry.Stored.Offset, entry.Stored.Offset + entry.Stored.Size, entry.Stored.Size);
            bool isIt = records.TryMoveNext() && records.Key.QueueId == Queue.Id.Value && records.Key.Sequence == entry.Sequence;
            if (!isIt) throw entry.Stored.File.Damaged(entry.Stored.Offset);
            _scattered.Add(StoredMessage.Read(records.Payload, formats));
        }
    }
}
