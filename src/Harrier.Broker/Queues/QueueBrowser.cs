using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>
/// Looks at the ready messages of a queue without changing anything: in the order of their delivery, or the newest first within a priority, in memory and on disk. It
/// shows each message as it was at some moment while the browser was there; what others take meanwhile may or may not be seen.
/// </summary>
/// <param name="queue">The queue.</param>
public sealed class QueueBrowser(Queue queue)
{
    private const int PieceBytesMax = 256 << 10;

    /// <summary>Whether the newest come first.</summary>
    public bool NewestFirst { get; init; }

    /// <summary>Which messages are shown; null for all.</summary>
    public MessageFilter? Filter { get; init; }

    /// <summary>Messages to pass over at the beginning, of those that the filter lets through.</summary>
    public int Skip { get; init; }

    /// <summary>Reads. A message may be used until the next is asked for.</summary>
    /// <exception cref="Harrier.Storage.Disk.DataDamagedException">A message on disk is not what was written.</exception>
    public async IAsyncEnumerable<BrowsedMessage> ReadAsync([EnumeratorCancellation] CancellationToken stop = default)
    {
        int toSkip = Skip;
        BrowsePlace place = QueueMachine.Beginning(NewestFirst);
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            BrowsePage? page;
            lock (queue.Shard.Gate) page = queue.Machine.Browse(place);
            if (page is null) yield break;
            place = page.Place;
            try
            {
                await foreach (QueueEntry entry in EntriesOf(page))
                {
                    if (Filter?.Matches(entry.Message!) == false || toSkip-- > 0) continue;
                    yield return new BrowsedMessage(entry.Message!, entry.Sequence, entry.Lane, entry.ArrivedAtMs, entry.ExpiresAtMs, entry.AcquiredCount, entry.DeliveryCount);
                }
            }
            finally
            {
                page.Release();
            }
        }
    }

    private IAsyncEnumerable<QueueEntry> EntriesOf(BrowsePage page) => page.Part is { } part ? PartOf(page, part) : KnownEntriesOf(page);

    private async IAsyncEnumerable<QueueEntry> KnownEntriesOf(BrowsePage page)
    {
        foreach (QueueEntry entry in page.Entries)
        {
            if (entry.Message is not null)
            {
                yield return entry;
                continue;
            }
            BacklogLoad load = await LoadAsync(BacklogLoad.OfSingle(queue, [entry]));
            QueueEntry read = load.TakeScattered().Single();
            try
            {
                yield return read;
            }
            finally
            {
                read.Message!.Release();
            }
        }
    }

    private async IAsyncEnumerable<QueueEntry> PartOf(BrowsePage page, RunPart part)
    {
        List<long> pieces = [part.From];
        if (NewestFirst) await FindPiecesAsync(page, part, pieces);
        for (int i = pieces.Count - 1; i >= 0; i--)
        {
            for (long from = pieces[i], to = i + 1 < pieces.Count ? pieces[i + 1] : part.End; from < to;)
            {
                BacklogLoad load = await LoadAsync(BacklogLoad.OfPart(queue, (byte)page.Place.Lane, part with { From = from, End = to }, PieceBytesMax));
                from = load.NextOffset;
                try
                {
                    if (NewestFirst) load.Entries.Reverse();
                    foreach (QueueEntry entry in load.Entries)
                        if (part.Has(entry.Sequence)) yield return entry;
                }
                finally
                {
                    load.Discard();
                }
            }
        }
    }

    // Records can be read forwards only: to go through a part backwards, one has to know where its pieces begin.
    private async Task FindPiecesAsync(BrowsePage page, RunPart part, List<long> pieces)
    {
        while (true)
        {
            BacklogLoad load = await LoadAsync(BacklogLoad.OfPart(queue, (byte)page.Place.Lane, part with { From = pieces[^1] }, PieceBytesMax));
            load.Discard();
            if (load.NextOffset >= part.End) return;
            pieces.Add(load.NextOffset);
        }
    }

    private async Task<BacklogLoad> LoadAsync(BacklogLoad load)
    {
        queue.Shard.Load(load);
        await load.WhenApplied;
        if (load.Failure is { } failure) ExceptionDispatchInfo.Throw(failure);
        return load;
    }
}

/// <summary>A message that somebody looks at.</summary>
/// <param name="Message">The message; the browser's, valid until the next one is asked for.</param>
/// <param name="Sequence">Its place in the queue.</param>
/// <param name="Priority">The priority that it has there.</param>
/// <param name="ArrivedAtMs">When it arrived, in milliseconds since 1970.</param>
/// <param name="ExpiresAtMs">When its own time to live or delay ends; 0 for never.</param>
/// <param name="AcquiredCount">How often somebody had it before.</param>
/// <param name="DeliveryCount">How many of these times count as failed.</param>
public readonly record struct BrowsedMessage(
    Message Message, ulong Sequence, byte Priority, long ArrivedAtMs, long ExpiresAtMs, int AcquiredCount, int DeliveryCount)
{
    /// <summary>Takes it aside in the queue in which it was seen.</summary>
    internal QueueCommand DetachFrom(Queue queue)
    {
        var read = new QueueEntry(Message, Sequence, lane: Priority) { AcquiredCount = AcquiredCount, DeliveryCount = DeliveryCount };
        return new QueueCommand(QueueCommandKind.Detach, queue, Load: BacklogLoad.OfSingle(queue, [read]));
    }
}

/// <summary>Lets through messages with a header of a certain value; any value when there is none.</summary>
/// <param name="Header">The header's name.</param>
/// <param name="Value">What it must be.</param>
public sealed record MessageFilter(string Header, ArgumentValue Value = default)
{
    private readonly byte[] _name = System.Text.Encoding.UTF8.GetBytes(Header);

    public bool Matches(Message message) => message.Format.TryFindHeader(message.Properties, _name, out HeaderValue found) && found.Matches(Value);
}
