using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class UnackedMessagesTests
{
    [Fact]
    public void It_keeps_what_was_not_removed() => Properties.ForAllSequences(Gen.Choose(0, 1 << 20), steps =>
    {
        var unacked = new UnackedMessages();
        var expected = new List<(DeliveryId Id, ulong Sequence)>();
        ulong sequence = 1;
        foreach (int step in steps)
        {
            if (step % 2 == 0)
            {
                expected.Add((unacked.Add(Entry(sequence), consumer: null, 0), sequence));
                sequence++;
            }
            else if (expected.Count > 0)
            {
                (DeliveryId id, ulong at) = expected[step % expected.Count];
                expected.Remove((id, at));
                unacked.TryRemove(id, out QueueEntry entry, out _).ShouldBeTrue();
                entry.Sequence.ShouldBe(at);
                unacked.TryRemove(id, out _, out _).ShouldBeFalse("a delivery is settled once");
            }
            unacked.Count.ShouldBe(expected.Count);
            expected.Select(e => e.Id.Slot).ShouldBeUnique();
        }
    });

    [Fact]
    public void An_unknown_delivery_is_refused()
    {
        var unacked = new UnackedMessages();
        Should.Throw<InvariantException>(() => unacked.TryRemove(new DeliveryId(0, 1), out _, out _));
        Should.Throw<InvariantException>(() => unacked.TryRemove(new DeliveryId(-1, 1), out _, out _));
    }

    [Fact]
    public void A_reused_slot_does_not_answer_for_its_last_tenant()
    {
        var unacked = new UnackedMessages();
        DeliveryId first = unacked.Add(Entry(1), null, 0);
        unacked.TryRemove(first, out _, out _);
        DeliveryId second = unacked.Add(Entry(2), null, 0);
        second.Slot.ShouldBe(first.Slot);
        unacked.TryRemove(first, out _, out _).ShouldBeFalse();
        unacked.TryRemove(second, out QueueEntry entry, out _).ShouldBeTrue();
        entry.Sequence.ShouldBe(2UL);
    }

    [Fact]
    public void Clearing_releases_every_message_once()
    {
        var unacked = new UnackedMessages();
        Message[] messages = [.. Enumerable.Range(0, 10).Select(_ => TestMessages.Create())];
        for (int i = 0; i < messages.Length; i++)
        {
            messages[i].AddReferences(1);
            DeliveryId id = unacked.Add(new QueueEntry(messages[i], (ulong)i), null, 0);
            if (i % 2 != 0) continue;
            unacked.TryRemove(id, out _, out _);
            messages[i].Release();
        }
        unacked.Clear();
        unacked.Count.ShouldBe(0);
        messages.ShouldAllBe(m => TestMessages.References(m) == 1);
    }

    [Fact]
    public void The_oldest_of_a_consumer_is_known_whatever_is_settled_first() => Properties.ForAllSequences(Gen.Choose(0, 1 << 20), steps =>
    {
        var unacked = new UnackedMessages();
        QueueConsumer[] consumers = [new(null!, null!), new(null!, null!)];
        var expected = new List<(QueueConsumer Consumer, DeliveryId Id, long AtMs)>();
        long nowMs = 0;
        foreach (int step in steps)
        {
            QueueConsumer consumer = consumers[step % 2];
            if (step % 3 != 0) expected.Add((consumer, unacked.Add(Entry(1), consumer, ++nowMs), nowMs));
            else if (expected.Count > 0)
            {
                unacked.TryRemove(expected[step % expected.Count].Id, out _, out QueueConsumer? who).ShouldBeTrue();
                who.ShouldBe(expected[step % expected.Count].Consumer);
                expected.RemoveAt(step % expected.Count);
            }
            foreach (QueueConsumer each in consumers)
            {
                unacked.TryGetOldest(each, out DeliveryId id, out long atMs).ShouldBe(expected.Exists(e => e.Consumer == each));
                if (expected.Find(e => e.Consumer == each) is { Consumer: not null } oldest) (id, atMs).ShouldBe((oldest.Id, oldest.AtMs));
            }
        }
    });

    private static QueueEntry Entry(ulong sequence) => new() { Sequence = sequence };
}
