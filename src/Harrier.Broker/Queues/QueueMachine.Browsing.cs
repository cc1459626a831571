namespace Harrier.Broker.Queues;

/// <summary>How a queue is looked at without changing it, and how single messages are taken out of it.</summary>
public sealed partial class QueueMachine
{
    // Messages of a page; what a page holds on to stays in memory meanwhile.
    private const int PageMax = 128;

    /// <summary>The place of the last message that joined. May be a moment old.</summary>
    internal ulong LastSequence => Volatile.Read(ref _nextSequence) - 1;

    /// <summary>The next page of a browser, or null when there is nothing more. Under the shard's lock, like commands.</summary>
    internal BrowsePage? Browse(BrowsePlace place)
    {
        if (IsDeleted) return null;
        IEnumerable<Lane> lanes = place.IsBackwards ? _ready.Lanes.Where(l => l.Number >= place.Lane) : _ready.Lanes.Reverse().Where(l => l.Number <= place.Lane);
        foreach (Lane lane in lanes)
        {
            bool isSame = lane.Number == place.Lane;
            ulong from = isSame ? place.Sequence : Start(place.IsBackwards);
            LanePage page = lane.Browse(from, place.IsBackwards, PageMax);
            if (!page.IsEmpty) return Hold(lane, page, place.IsBackwards);
        }
        return null;
    }

    /// <summary>Where a browser begins.</summary>
    internal static BrowsePlace Beginning(bool isBackwards) => new(isBackwards ? 0 : byte.MaxValue, Start(isBackwards), isBackwards);

    private static ulong Start(bool isBackwards) => isBackwards ? ulong.MaxValue : 0;

    private static BrowsePage Hold(Lane lane, LanePage page, bool isBackwards)
    {
        if (page.Run is { } run)
        {
            ulong past = isBackwards ? Math.Max(run.FirstSequence, page.Above + 1) : Math.Min(run.LastSequence, page.Below - 1);
            RunPart part = Hold(run, run.Next, page, [.. run.Gone.Ranges]);
            return new BrowsePage(new BrowsePlace(lane.Number, past, isBackwards), [], part);
        }
        foreach (QueueEntry entry in page.Entries!)
        {
            entry.Message?.AddReferences(1);
            entry.Stored.File?.Retain(entry.Stored.Size);
        }
        return new BrowsePage(new BrowsePlace(lane.Number, page.Entries[^1].Sequence, isBackwards), page.Entries, Part: null);
    }

    private static RunPart Hold(DiskRun run, long from, LanePage page, (ulong First, ulong Last)[] gone)
    {
        run.File.Retain(run.End - from);
        return new RunPart(run.File, from, run.End, run.IsRecovered, page.Above, page.Below, gone);
    }

    /// <summary>
    /// Takes one ready message aside, wherever it stands: nobody gets it any more, and it is still the queue's until it departs. The command carries the message as
    /// somebody has read it, for of what is on disk the queue knows no more than the place.
    /// </summary>
    private void Detach(in QueueCommand command, QueueEffects effects)
    {
        QueueEntry read = command.Load!.Entries[0];
        Lane lane = _ready[read.Lane];
        bool isFound = lane.TryRemove(read.Sequence, out QueueEntry entry);
        if (!isFound && lane.FindRun(read.Sequence) is { } run)
        {
            bool isLogged = IsLoggedIn(command.Queue, read.Message!);
            isFound = lane.TryRemove(run, read.Sequence, read.BodySize, isLogged);
            read.Message!.AddReferences(1);
            // From now on it does not stand in the file, which may have been the last of it: no manifest may say that it does.
            entry = run.WithCounts(in read, lane.DeliveredUpTo) with { IsLogged = isLogged };
            if (command.Queue.IsLogged) effects.Log!.MarkChanged(command.Queue);
        }
        if (isFound) _aside[read.Sequence] = new Aside(entry, Reason: null, ReadyAtMs: 0);
        effects.Answer = new QueueAnswer(isFound ? QueueAnswerStatus.Done : QueueAnswerStatus.Empty);
    }
}
