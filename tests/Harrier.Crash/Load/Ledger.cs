using System.Collections.Concurrent;

namespace Harrier.Crash.Load;

/// <summary>A message in one of the queues that it was routed to.</summary>
internal readonly record struct Copy(string Queue, long Id);

/// <summary>
/// What the clients know, over all lives of the broker, of every message in every queue. Contradictions are noted as soon as they show. Thread-safe.
/// </summary>
internal sealed class Ledger
{
    private const int ViolationsMax = 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<Copy, Fate> _fates = [];
    private readonly Dictionary<(string Queue, long Publisher), long> _lastFirstSeen = [];
    private readonly Dictionary<long, TransactionGroup> _groups = [];
    private readonly ConcurrentQueue<string> _violations = new();

    /// <summary>The broker's life, counted from 1.</summary>
    public int Round { get; set; }

    public IReadOnlyCollection<string> Violations => _violations;

    public int ConfirmedCount { get; private set; }

    public int ReceivedCount { get; private set; }

    /// <summary>Messages that came as new again, after a crash that may have taken the memory of their first delivery.</summary>
    public int RepeatsAsNewCount { get; private set; }

    public int CommittedCount { get; private set; }

    public int InDoubtCount { get; private set; }

    /// <summary>Numbers of one publisher grow in the order of sending.</summary>
    public static long IdOf(long publisher, long sequence) => publisher << 32 | sequence;

    public void Violate(string what)
    {
        if (_violations.Count < ViolationsMax) _violations.Enqueue($"round {Round}: {what}");
    }

    public void OnSending(Copy copy)
    {
        lock (_gate) _fates.Add(copy, new Fate());
    }

    public void OnConfirmed(Copy copy)
    {
        lock (_gate) Confirm(copy);
    }

    public void OnReceived(Copy copy, bool redelivered)
    {
        lock (_gate)
        {
            if (!_fates.TryGetValue(copy, out Fate? fate))
            {
                Violate($"{Name(copy)} was never sent there");
                return;
            }
            if (fate.SealedInRound > 0) Violate($"{Name(copy)} is back, though gone for good since round {fate.SealedInRound}");
            if (fate.LastSeenInRound == 0) CheckOrder(copy);
            else if (!redelivered) CheckRepeatAsNew(copy, fate);
            fate.LastSeenInRound = Round;
            ReceivedCount++;
        }
    }

    public void OnAckWritten(Copy copy)
    {
        lock (_gate) Of(copy).IsAckWritten = true;
    }

    /// <summary>
    /// What was received and acked on a channel before a message was published on it that is confirmed by now: the log is in order, so no crash may
    /// undo it.
    /// </summary>
    public void OnSealed(IEnumerable<Copy> received, IEnumerable<Copy> acked)
    {
        lock (_gate)
        {
            foreach (Copy copy in received) Of(copy).IsReceiptSealed = true;
            foreach (Copy copy in acked) Of(copy).SealedInRound = Round;
        }
    }

    /// <summary>A purge was asked for: what is in the queue may be gone.</summary>
    public void OnPurging(IEnumerable<Copy> content)
    {
        lock (_gate)
        {
            foreach (Copy copy in content) Of(copy).MayBePurged = true;
        }
    }

    /// <summary>The purge was answered: what was in the queue is gone for good.</summary>
    public void OnPurged(IEnumerable<Copy> content)
    {
        lock (_gate)
        {
            foreach (Copy copy in content) Of(copy).SealedInRound = Round;
        }
    }

    public void OnCommitting(long group, Copy[] copies)
    {
        lock (_gate)
        {
            _groups.Add(group, new TransactionGroup(copies, Round));
            foreach (Copy copy in copies) _fates.Add(copy, new Fate());
            InDoubtCount++;
        }
    }

    public void OnCommitted(long group)
    {
        lock (_gate)
        {
            foreach (Copy copy in _groups[group].Copies) Confirm(copy);
            _groups.Remove(group); // each of its messages answers for itself from now on
            CommittedCount++;
            InDoubtCount--;
        }
    }

    /// <summary>To be called when all queues are empty, at the very end.</summary>
    public void CheckAtEnd()
    {
        lock (_gate)
        {
            foreach ((Copy copy, Fate fate) in _fates)
            {
                // A message whose ack may have been taken is not owed any more. One that was only received is.
                if (fate.IsConfirmed && !fate.IsAckWritten && !fate.MayBePurged)
                    Violate($"lost: {Name(copy)} was confirmed in round {fate.ConfirmedInRound}; last received in round {fate.LastSeenInRound}");
            }
            foreach ((long group, TransactionGroup transaction) in _groups) CheckInDoubt(group, transaction);
        }
    }

    // What a crash took may have been delivered before. But once a part shows up after the crash, the transaction was kept, and all parts with it.
    private void CheckInDoubt(long group, TransactionGroup transaction)
    {
        bool wasKept = transaction.Copies.Any(c => Of(c).LastSeenInRound > transaction.Round);
        if (!wasKept) return;
        foreach (Copy missing in transaction.Copies.Where(c => Of(c).LastSeenInRound == 0))
            Violate($"half a transaction: {group} of round {transaction.Round} was kept, but not {Name(missing)}");
    }

    // Deliveries are not synced before they are made, so a crash may forget that one took place. Nothing else may.
    private void CheckRepeatAsNew(Copy copy, Fate fate)
    {
        RepeatsAsNewCount++;
        if (fate.LastSeenInRound == Round) Violate($"{Name(copy)} came twice as new in the same round");
        else if (fate.IsReceiptSealed) Violate($"{Name(copy)} came as new, though its delivery in round {fate.LastSeenInRound} was in the log");
    }

    private void CheckOrder(Copy copy)
    {
        (string, long) lane = (copy.Queue, copy.Id >> 32);
        if (_lastFirstSeen.TryGetValue(lane, out long last) && last > copy.Id) Violate($"out of order: {Name(copy)} came for the first time after {last & uint.MaxValue}");
        else _lastFirstSeen[lane] = copy.Id;
    }

    private void Confirm(Copy copy)
    {
        Fate fate = Of(copy);
        fate.IsConfirmed = true;
        fate.ConfirmedInRound = Round;
        ConfirmedCount++;
    }

    private Fate Of(Copy copy) => _fates[copy];

    private static string Name(Copy copy) => $"{copy.Queue}/{copy.Id >> 32}.{copy.Id & uint.MaxValue}";

    private sealed class Fate
    {
        public bool IsConfirmed { get; set; }

        public int ConfirmedInRound { get; set; }

        /// <summary>0: never.</summary>
        public int LastSeenInRound { get; set; }

        public bool IsReceiptSealed { get; set; }

        public bool IsAckWritten { get; set; }

        public bool MayBePurged { get; set; }

        /// <summary>Since when it must not come back; 0 when it may.</summary>
        public int SealedInRound { get; set; }
    }

    private sealed record TransactionGroup(Copy[] Copies, int Round);
}
