using System.Globalization;
using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>How messages leave a queue other than by being accepted, and those that are neither ready nor unacked for a while.</summary>
public sealed partial class QueueMachine
{
    // What could not be dead-lettered and is to be kept is tried again after so long.
    private const long RetryMs = 10_000;

    // Tries in one tick: they may all be in vain.
    private const int RetriesMax = 64;

    // A longer deduplication key is remembered by its SHA-256: publishers choose keys, and a window may hold a million.
    private const int KeyBytesMax = 256;

    // Messages that are read in one go on their way out.
    private const int ReadMax = 256;

    private readonly Dictionary<ulong, Aside> _aside = [];
    private readonly PriorityQueue<ulong, long> _asideDue = new();
    private readonly List<QueueEntry> _unread = [];
    private KeyWindow? _keys;
    private int _pacedLoads;
    private bool _isPaced;

    /// <summary>Messages that wait to be delivered again after a failure, or to be taken by another queue.</summary>
    public int AsideCount => _aside.Count;

    /// <summary>A message has died: it goes where dead messages go, or away.</summary>
    private void Leave(Queue queue, in QueueEntry entry, DeathReason reason, QueueEffects effects)
    {
        bool isDelayed = queue.Definition.IsStaging;
        if (!isDelayed && _settings.DeadLetterExchange is null)
        {
            Forget(queue, in entry, effects);
            entry.Message?.Release();
            return;
        }
        _aside[entry.Sequence] = new Aside(entry, isDelayed ? null : reason, ReadyAtMs: 0);
        if (entry.Message is null) _unread.Add(entry);
        else Send(queue, in entry, isDelayed ? null : reason, effects);
    }

    private static void Send(Queue queue, in QueueEntry entry, DeathReason? reason, QueueEffects effects)
    {
        entry.Message!.AddReferences(1);
        effects.Departures.Add(new Departure(queue, entry.Sequence, entry.Message, reason));
    }

    /// <summary>Has messages read that are on disk and are to leave.</summary>
    private void ReadLeaving(Queue queue, QueueEffects effects)
    {
        foreach (QueueEntry[] part in _unread.Chunk(ReadMax))
        {
            effects.Loads.Add(BacklogLoad.OfLeaving(queue, [.. part], _isPaced));
            if (_isPaced) _pacedLoads++;
        }
        _unread.Clear();
        _isPaced = false;
    }

    private void LeavingLoaded(BacklogLoad load, QueueEffects effects)
    {
        load.IsWanted = load is { Failure: not null, Entries.Count: 1 } && load.Entries.Exists(entry => _aside.ContainsKey(entry.Sequence));
        // One that cannot be read stays aside, for it is not to be lost silently; those beside it are read without it.
        if (load is { Failure: not null, Entries.Count: > 1 })
            foreach (QueueEntry entry in load.Entries) effects.Loads.Add(BacklogLoad.OfLeaving(load.Queue, [entry], isPaced: false));
        foreach (QueueEntry entry in load.Failure is null ? load.TakeScattered() : [])
        {
            if (!_aside.TryGetValue(entry.Sequence, out Aside? aside))
            {
                entry.Message!.Release();
                continue;
            }
            // It leaves memory with the departure: what is kept for a later try is read again then.
            effects.Departures.Add(new Departure(load.Queue, entry.Sequence, entry.Message!, aside.Reason));
        }
        if (load.IsPaced && --_pacedLoads == 0) Tick(load.Queue, effects); // which waited, so as not to ask for more than can be read
    }

    /// <summary>The message is where it was sent, by another command of the same group.</summary>
    private void Depart(Queue queue, ulong sequence, QueueEffects effects)
    {
        if (!_aside.Remove(sequence, out Aside? aside)) return;
        Forget(queue, aside.Entry, effects);
        aside.Entry.Message?.Release();
    }

    private void Retain(Queue queue, ulong sequence, QueueEffects effects)
    {
        if (!_aside.TryGetValue(sequence, out Aside? aside)) return;
        Park(queue, aside with { ReadyAtMs = effects.NowMs + RetryMs }, effects);
    }

    /// <summary>Keeps a message that came back from its consumers until it may be delivered again.</summary>
    private void Postpone(Queue queue, in QueueEntry entry, long readyAtMs, QueueEffects effects) =>
        Park(queue, new Aside(entry, Reason: null, readyAtMs, IsPostponed: true), effects);

    private void Park(Queue queue, Aside aside, QueueEffects effects)
    {
        _aside[aside.Entry.Sequence] = aside;
        _asideDue.Enqueue(aside.Entry.Sequence, aside.ReadyAtMs);
        effects.Alarms?.Set(queue, aside.ReadyAtMs);
    }

    /// <summary>Goes on with what was put aside for a time that is over.</summary>
    private void RetryAside(Queue queue, ref int budget, QueueEffects effects)
    {
        int tries = RetriesMax;
        while (budget > 0 && tries > 0 && _asideDue.TryPeek(out ulong sequence, out long atMs) && atMs <= effects.NowMs)
        {
            _asideDue.Dequeue();
            if (!_aside.TryGetValue(sequence, out Aside? aside) || aside.ReadyAtMs != atMs) continue;
            budget--;
            if (aside.IsPostponed)
            {
                _aside.Remove(sequence);
                Resurface(queue, aside.Entry, effects);
            }
            else
            {
                tries--;
                _aside[sequence] = aside with { ReadyAtMs = 0 };
                if (aside.Entry.Message is null) _unread.Add(aside.Entry);
                else Send(queue, aside.Entry, aside.Reason, effects);
            }
        }
    }

    /// <summary>Refuses a message; it may be dead-lettered all the same.</summary>
    private void Refuse(Queue queue, Message message, QueueEffects effects)
    {
        if (_settings.Overflow != Overflow.RejectPublishDeadLetter || _settings.DeadLetterExchange is null) return;
        message.AddReferences(1);
        effects.Departures.Add(new Departure(queue, Sequence: 0, message, DeathReason.MaxLength));
    }

    /// <summary>Whether the queue has not taken a message with this one's key.</summary>
    private bool IsNew(Message message, long nowMs) => _keys is null || !TryFindKey(message, out ReadOnlySpan<byte> key) || !_keys.Contains(key, nowMs);

    /// <summary>Takes no message with this one's key any more. What was refused is not remembered: its publisher will send it again.</summary>
    private void Remember(Queue queue, Message message, bool isLogged, QueueEffects effects)
    {
        if (!TryFindKey(message, out ReadOnlySpan<byte> key)) return;
        DeduplicationWindow window = _settings.Deduplication!;
        byte[] kept = key.ToArray();
        long forgottenAtMs = window.TimeMs is { } timeMs ? effects.NowMs + timeMs : long.MaxValue;
        (_keys ??= new KeyWindow()).Add(kept, forgottenAtMs, window.SizeMax, effects.NowMs);
        if (isLogged) effects.Log!.Remembered(queue, kept, forgottenAtMs);
    }

    private bool TryFindKey(Message message, out ReadOnlySpan<byte> key)
    {
        bool hasKey = message.Format.TryFindHeader(message.Properties, _settings.Deduplication!.HeaderBytes.Span, out HeaderValue value)
            && (value.Integer is not null || value.Kind is ArgumentKind.Text or ArgumentKind.Bytes); // of other kinds none is like another
        key = value.Integer is { } number ? Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)) : value.Content;
        hasKey &= value.Kind is ArgumentKind.Text or ArgumentKind.Bytes || value.Integer is not null; // nothing else says who is who
        if (key.Length > KeyBytesMax) key = System.Security.Cryptography.SHA256.HashData(key);
        return hasKey;
    }

    private void ForgetAside()
    {
        foreach (Aside aside in _aside.Values) aside.Entry.Release();
        foreach (Held held in _held.Values) held.Entry.Release();
        _held.Clear();
        _aside.Clear();
        _asideDue.Clear();
        _unread.Clear();
    }

    /// <summary>What is not ready and in the queue all the same: unacked, held, or aside. The log keeps it when what is ready goes.</summary>
    private IEnumerable<QueueEntry> Unready() => _unacked.Entries.Concat(_aside.Values.Select(aside => aside.Entry)).Concat(_held.Values.Select(held => held.Entry));

    /// <summary>A message that is neither ready nor unacked: it is on its way out, or waits until a time.</summary>
    /// <param name="Entry">The message.</param>
    /// <param name="Reason">Why it leaves; null when it does not, or only after its delay.</param>
    /// <param name="ReadyAtMs">When to go on with it; 0 while somebody is at it.</param>
    /// <param name="IsPostponed">Whether it goes back to its place then.</param>
    private sealed record Aside(QueueEntry Entry, DeathReason? Reason, long ReadyAtMs, bool IsPostponed = false);
}
