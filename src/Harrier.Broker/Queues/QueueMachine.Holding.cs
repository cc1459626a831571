namespace Harrier.Broker.Queues;

/// <summary>
/// How deliveries outlive the link that they were made on: they are held for its terminus until it comes back or is given up, over a restart too
/// (1.0 part 2, section 2.6.13).
/// </summary>
public sealed partial class QueueMachine
{
    // Deliveries of termini whose link is suspended, by their sequence.
    private readonly SortedDictionary<ulong, Held> _held = [];

    // Termini whose link is suspended, whether or not anything is held for them. Null while there are none.
    private HashSet<long>? _suspended;

    // Who is suspended counts: its peer is to find the queue when it comes back.
    private bool IsUsed => _consumers.Count > 0 || _suspended is { Count: > 0 };

    /// <summary>Notes after a restart that somebody may come back to a terminus of this queue.</summary>
    internal void RestoreSuspended(long holder) => (_suspended ??= []).Add(holder);

    /// <summary>Takes the consumer out; what it has stays its terminus's.</summary>
    private void Suspend(Queue queue, QueueConsumer consumer, QueueEffects effects)
    {
        if (_consumers.Remove(consumer)) (_suspended ??= []).Add(consumer.Holder);
        Retire(consumer);
        while (_unacked.TryGetOldest(consumer, out DeliveryId id, out _))
        {
            _unacked.TryRemove(id, out QueueEntry entry, out _);
            consumer.UnackedCount--;
            _held[entry.Sequence] = new Held(entry, consumer.Holder);
        }
        Touch(queue, effects);
        if (!_settings.HasSingleActiveConsumer) return;
        ChooseActive(queue);
        Dispatch(queue, effects);
    }

    /// <summary>Gives a consumer what is held for its terminus, in order.</summary>
    private void Adopt(QueueConsumer consumer, QueueEffects effects)
    {
        var adopted = new List<HeldDelivery>();
        foreach ((ulong sequence, Held held) in _held.Where(h => h.Value.Holder == consumer.Holder).ToArray())
        {
            _held.Remove(sequence);
            consumer.UnackedCount++;
            DeliveryId id = _unacked.Add(held.Entry, consumer, effects.NowMs);
            adopted.Add(new HeldDelivery(sequence, id, held.Entry.AcquiredCount, held.Entry.DeliveryCount));
        }
        effects.Answer = new QueueAnswer(QueueAnswerStatus.Done, adopted.Count, Held: adopted);
    }

    /// <summary>Puts back what is held for a terminus that is no more. If that was the last consumer of a queue that goes with it, all of it goes.</summary>
    private void Abandon(Queue queue, long holder, QueueEffects effects)
    {
        bool wasSuspended = _suspended?.Remove(holder) == true;
        if (wasSuspended && !IsUsed && queue.Definition.IsAutoDelete)
        {
            EndByItself(queue, effects);
            return;
        }
        if (wasSuspended) Touch(queue, effects);
        foreach ((ulong sequence, Held held) in _held.Where(h => h.Value.Holder == holder).ToArray())
        {
            _held.Remove(sequence);
            Return(queue, held.Entry, isFailure: false, effects);
        }
        Dispatch(queue, effects);
    }

    /// <summary>Whether a delivery has not ended. Under the shard's lock.</summary>
    internal bool IsUnacked(DeliveryId id) => _unacked.TryGet(id, out _);

    /// <summary>An unacked message, with a reference to it when it is in memory; false when it was settled. Under the shard's lock.</summary>
    internal bool TryGetUnacked(DeliveryId id, out QueueEntry entry)
    {
        bool isThere = _unacked.TryGet(id, out entry);
        if (isThere) entry.Message?.AddReferences(1);
        return isThere;
    }

    private IEnumerable<(ulong Sequence, long Holder)> Holds() =>
        _unacked.Deliveries.Where(d => d.Consumer is { Holder: not 0 } && d.Entry.IsLogged).Select(d => (d.Entry.Sequence, d.Consumer!.Holder))
            .Concat(_held.Where(h => h.Value.Entry.IsLogged).Select(h => (h.Key, h.Value.Holder)));

    /// <summary>A message that waits for its terminus.</summary>
    private readonly record struct Held(QueueEntry Entry, long Holder);
}
