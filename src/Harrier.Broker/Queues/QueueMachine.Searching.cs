using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Storage.Segments;

namespace Harrier.Broker.Queues;

/// <summary>
/// Consumers that look for their messages themselves: those with a filter take what matches wherever it stands, and those that browse get copies. They stand outside
/// of the ring, and look when something is there that they have not seen.
/// </summary>
public sealed partial class QueueMachine
{
    // Null while there are none, as in nearly every queue.
    private List<QueueSearch>? _searches;

    // Consumers with a filter; the others that search are not among the consumers.
    private int _filteringCount;

    private void BeginSearch(QueueConsumer consumer)
    {
        consumer.Search = new QueueSearch(consumer);
        (_searches ??= []).Add(consumer.Search);
        if (!consumer.IsBrowsing) _filteringCount++;
    }

    private void EndSearch(QueueConsumer consumer)
    {
        if (_searches?.Remove(consumer.Search!) != true) return;
        if (!consumer.IsBrowsing) _filteringCount--;
        if (_searches.Count == 0) _searches = null;
    }

    private void OrphanBrowsing(QueueEffects effects)
    {
        if (_searches is null) return;
        foreach (QueueConsumer consumer in _searches.Select(search => search.Consumer).ToArray())
        {
            Retire(consumer);
            effects.Orphaned.Add(consumer);
        }
    }

    /// <summary>A message can be delivered that could not before.</summary>
    private void NoteReady(in QueueEntry entry)
    {
        foreach (QueueSearch search in _searches!) search.OnReady(entry.Lane, entry.Sequence);
    }

    /// <summary>Lets everybody look who may get something.</summary>
    private void RunSearches(Queue queue, QueueEffects effects)
    {
        foreach (QueueSearch search in _searches!)
        {
            QueueConsumer consumer = search.Consumer;
            if (search.IsUnderWay || search.IsAtEnd || search.HasFailed || !consumer.IsActive || !MaySearch(consumer)) continue;
            if (consumer.Output.HasRoom) Look(queue, search, effects);
            else
            {
                consumer.IsActive = false;
                effects.AwaitingRoom.Add(consumer);
            }
        }
    }

    private bool MaySearch(QueueConsumer consumer) => consumer.HasCredit && (consumer.IsBrowsing || (!IsPaused && MayBeActive(consumer)));

    private void Look(Queue queue, QueueSearch search, QueueEffects effects)
    {
        bool isBrowsing = search.Consumer.IsBrowsing, isReading = false;
        foreach (Lane lane in _ready.Lanes.Reverse())
        {
            ulong seen = search.SeenUpTo(lane.Number);
            LanePage page = isBrowsing ? lane.Browse(seen, backwards: false, PageMax) : lane.Search(seen, search.ReturnedSeenUpTo(lane.Number), PageMax);
            if (page.IsEmpty)
            {
                isReading |= !isBrowsing && lane.IsReadingReturned; // they will be ready again, and then it goes on
                continue;
            }
            search.Begin(lane.Number);
            effects.Loads.Add(BacklogLoad.OfSearch(queue, new SearchTurn(search, lane.Number, Hold(search, lane, page))
            {
                AreReturned = page.AreReturned,
                Run = page.Run,
                RunStart = page.Run?.Start ?? 0,
                MatchesMax = Math.Min(PageMax, search.Consumer.Credit),
            }));
            return;
        }
        search.IsAtEnd = !isReading;
    }

    // Of a run only what was not looked at yet; whether a message is still there is asked for when it is given.
    private static BrowsePage Hold(QueueSearch search, Lane lane, LanePage page)
    {
        if (page.Run is not { } run) return Hold(lane, page, isBackwards: false);
        var place = new BrowsePlace(lane.Number, Math.Min(run.LastSequence, page.Below - 1), IsBackwards: false);
        return new BrowsePage(place, [], Hold(run, run.Start + search.OffsetIn(run, lane.Number), page, []));
    }

    /// <summary>Gives what was found, as far as that can be.</summary>
    private void SearchLoaded(BacklogLoad load, QueueEffects effects)
    {
        SearchTurn turn = load.Turn!;
        QueueConsumer consumer = turn.Search.Consumer;
        load.IsWanted = consumer.IsRegistered;
        if (load.Failure is not null || !consumer.IsRegistered)
        {
            turn.Release();
            if (consumer.IsRegistered) Fail(turn.Search, effects);
            return;
        }
        ulong? stop = null;
        for (int i = 0; i < turn.Matches.Count && stop is null; i++)
            if (!TryGive(load.Queue, turn, turn.Matches[i], effects)) stop = turn.Matches[i].Sequence;
        turn.Search.Finish(turn, stop);
        turn.Release();
        Dispatch(load.Queue, effects);
    }

    // Unlike the queue's own reading, it is in nobody's way: whoever looks learns of it, and may come again.
    private void Fail(QueueSearch search, QueueEffects effects)
    {
        search.HasFailed = true;
        effects.Unreadable.Add(search.Consumer);
        if (_draining.Count > 0) EndDrains(effects);
    }

    /// <summary>Gives a message to who looked for it; false when that has to wait. One that is not there any more is passed over.</summary>
    private bool TryGive(Queue queue, SearchTurn turn, in QueueEntry match, QueueEffects effects)
    {
        QueueConsumer consumer = turn.Search.Consumer;
        if (!effects.HasRoomForDelivery || !consumer.IsActive || !consumer.Output.HasRoom || !MaySearch(consumer)) return false;
        Lane lane = _ready[turn.Lane];
        if (consumer.IsBrowsing)
        {
            bool isThere = (turn.Run?.Holds(match.Sequence) ?? true) || lane.IsInMemory(match.Sequence);
            if (isThere && !(_mayExpire && IsExpired(in match, effects.NowMs))) Show(consumer, in match, effects);
            return true;
        }
        if (!TryTakeOut(lane, turn, in match, out QueueEntry entry)) return turn.Run is not null || lane.FindRun(match.Sequence) is null; // else it went to disk meanwhile
        if (_mayExpire && IsExpired(in entry, effects.NowMs))
        {
            Leave(queue, in entry, DeathReason.Expired, effects);
            return true;
        }
        if (!consumer.NoAck && consumer.Holder == 0) MarkAcquired(queue, lane, in entry, effects);
        Hand(consumer, in entry, effects);
        return true;
    }

    private static bool TryTakeOut(Lane lane, SearchTurn turn, in QueueEntry match, out QueueEntry entry)
    {
        if (!lane.TryRemove(match.Sequence, out entry)) return turn.Run is { } run && lane.TryTake(run, in match, turn.OffsetOf(in match), out entry);
        if (entry.Message is not null) return true;
        match.Message!.AddReferences(1);
        entry = entry with { Message = match.Message };
        return true;
    }

    // What is taken from the middle says nothing of what stands before it, so a restart learns of each such message by itself: as of one that has come back.
    private static void MarkAcquired(Queue queue, Lane lane, in QueueEntry entry, QueueEffects effects)
    {
        bool isKnown = entry.WasDelivered || entry.Sequence <= lane.DeliveredUpTo;
        if (entry.IsLogged && !isKnown) effects.Log!.Returned(queue, entry with { AcquiredCount = 1 }, readyAtMs: 0);
    }

    private static void Show(QueueConsumer consumer, in QueueEntry entry, QueueEffects effects)
    {
        consumer.DeliveryCount++;
        entry.Message!.AddReferences(1);
        effects.Deliver(new Delivery(
            consumer, entry.Message, default, entry.AcquiredCount, entry.DeliveryCount, IsSettled: true, IsHandedOver: true, entry.Sequence));
    }
}
