using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Simulation.Accounts;
using Harrier.Storage.Segments;
using Shouldly;

namespace Harrier.Simulation.Running;

/// <summary>Reads what a start has found in a queue, without taking anything out: also what nobody would get now.</summary>
internal sealed class RecoveredQueue(Queue queue, BrokerAccount account)
{
    private const int PieceBytesMax = 64 << 10;

    private readonly List<ObservedMessage> _messages = [];

    public ObservedQueue Read()
    {
        lock (queue.Shard.Gate)
        {
            QueueSnapshot snapshot = queue.Machine.Collect(queue, index: 0, new HashSet<SegmentFile>());
            Dictionary<ulong, long> readyAtMs = snapshot.Postponed.ToDictionary(p => p.Sequence, p => p.ReadyAtMs);
            Dictionary<byte, ulong> delivered = snapshot.Delivered.ToDictionary(d => d.Lane, d => d.DeliveredUpTo);
            foreach (QueueEntry entry in snapshot.Scattered.Concat(snapshot.Fresh.SelectMany(f => f.Entries))) Add(in entry, entry.Message!, readyAtMs);
            foreach (QueueEntry entry in snapshot.Stored)
            {
                using SegmentRecords records = entry.Stored.File!.Read(entry.Stored.Offset, entry.Stored.Offset + entry.Stored.Size, entry.Stored.Size);
                records.TryMoveNext().ShouldBeTrue();
                Message message = StoredMessage.Read(records.Payload, SimulatedFormat.Formats);
                Add(in entry, message, readyAtMs);
                message.Release();
            }
            foreach ((byte lane, RunState state) in snapshot.Runs) Add(lane, state.Run, delivered.GetValueOrDefault(lane));
            snapshot.Abandon();
            return new ObservedQueue(
                [.. _messages.OrderByDescending(m => m.Lane).ThenBy(m => m.Sequence)], [.. snapshot.Keys.Select(key => (key.Key[0], key.ForgottenAtMs))]);
        }
    }

    private void Add(in QueueEntry entry, Message message, Dictionary<ulong, long> readyAtMs) => _messages.Add(new ObservedMessage(
        account.Recognize(message), entry.Sequence, entry.Lane, entry.WasDelivered, entry.DeliveryCount, readyAtMs.GetValueOrDefault(entry.Sequence),
        entry.ArrivedAtMs, entry.ExpiresAtMs));

    private void Add(byte lane, DiskRun run, ulong deliveredUpTo)
    {
        int count = 0;
        for (long from = run.Next; from < run.End;)
        {
            using SegmentRecords records = run.File.Read(from, run.End, PieceBytesMax);
            while (records.TryMoveNext())
            {
                SegmentKey key = records.Key;
                if ((key.Flags & SegmentFlags.Transient) != SegmentFlags.None || !run.Holds(key.Sequence)) continue;
                Message message = StoredMessage.Read(records.Payload, SimulatedFormat.Formats);
                ReturnCounts known = run.Returns?.GetValueOrDefault(key.Sequence) ?? default;
                bool wasDelivered = Math.Max(known.Acquired, key.AcquiredCount) > 0 || key.Sequence <= deliveredUpTo;
                _messages.Add(new ObservedMessage(
                    account.Recognize(message), key.Sequence, lane, wasDelivered, Math.Max(known.Delivery, key.DeliveryCount), 0, message.ArrivedAtMs,
                    message.ExpiresAtMs));
                message.Release();
                count++;
            }
            from = records.NextOffset;
        }
        run.Count.ShouldBe(count, $"{queue.NameText} counts what stands in a run");
    }
}
