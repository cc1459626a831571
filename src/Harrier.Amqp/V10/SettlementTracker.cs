using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// The answers that a session owes to those who publish in it, in the order in which they were asked for: counts the queues that have yet to answer for each
/// publication, and tells up to where all are answered, and how. Queues answer from any thread.
/// </summary>
internal sealed class SettlementTracker : IPublishSink
{
    private readonly Lock _gate = new();
    private Entry[] _entries = new Entry[16];
    private ulong _next;
    private ulong _oldest;

    /// <summary>Notes a publication that so many queues will answer for; its number. One that no queue gets is released (behaviour note 106).</summary>
    public ulong Begin(uint deliveryId, int queueCount, bool isSettled) =>
        Add(new Entry(deliveryId, queueCount, queueCount == 0 ? DeliveryState.Released : DeliveryState.Accepted, isSettled));

    /// <summary>Notes a publication that is answered already.</summary>
    public void Add(uint deliveryId, byte[] state, bool isSettled) => Add(new Entry(deliveryId, 0, state, isSettled));

    public void OnSettled(ulong number, Outcome outcome)
    {
        lock (_gate)
        {
            ref Entry entry = ref _entries[Index(number)];
            byte[] state = outcome == Outcome.Accepted ? entry.State : DeliveryState.Rejected;
            entry = entry with { WaitingFor = entry.WaitingFor - 1, State = state };
        }
    }

    /// <summary>The next publications that are answered alike; false when the next one is not answered yet.</summary>
    public bool TryTakeAnswered(out SettlementRun run)
    {
        lock (_gate)
        {
            run = default;
            bool any = false;
            while (_oldest < _next)
            {
                Entry entry = _entries[Index(_oldest)];
                if (entry.WaitingFor > 0) break;
                var next = new SettlementRun(Role.Receiver, entry.DeliveryId, entry.DeliveryId, entry.State, entry.IsSettled);
                if (any && !run.IsContinuedBy(in next)) break;
                run = any ? run with { Last = next.Last } : next;
                any = true;
                _oldest++;
            }
            return any;
        }
    }

    private ulong Add(Entry entry)
    {
        lock (_gate)
        {
            if (_next - _oldest == (ulong)_entries.Length) Grow();
            _entries[Index(_next)] = entry;
            return _next++;
        }
    }

    private void Grow()
    {
        var larger = new Entry[_entries.Length * 2];
        for (ulong number = _oldest; number < _next; number++) larger[number & (ulong)(larger.Length - 1)] = _entries[Index(number)];
        _entries = larger;
    }

    private int Index(ulong number) => (int)(number & (ulong)(_entries.Length - 1));

    private readonly record struct Entry(uint DeliveryId, int WaitingFor, byte[] State, bool IsSettled);
}
