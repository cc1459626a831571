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
                expected.Add((unacked.Add(new QueueEntry(null!, sequence), consumer: null), sequence));
                sequence++;
            }
            else if (expected.Count > 0)
            {
                (DeliveryId id, ulong at) = expected[step % expected.Count];
                expected.Remove((id, at));
                unacked.Remove(id, out _).Sequence.ShouldBe(at);
                Should.Throw<InvariantException>(() => unacked.Remove(id, out _));
            }
            unacked.Count.ShouldBe(expected.Count);
            expected.Select(e => e.Id.Slot).ShouldBeUnique();
        }
    });

    [Fact]
    public void An_unknown_delivery_is_refused()
    {
        var unacked = new UnackedMessages();
        Should.Throw<InvariantException>(() => unacked.Remove(new DeliveryId(0, 1), out _));
        Should.Throw<InvariantException>(() => unacked.Remove(new DeliveryId(-1, 1), out _));
    }

    [Fact]
    public void A_reused_slot_does_not_answer_for_its_last_tenant()
    {
        var unacked = new UnackedMessages();
        DeliveryId first = unacked.Add(new QueueEntry(null!, 1), null);
        unacked.Remove(first, out _);
        DeliveryId second = unacked.Add(new QueueEntry(null!, 2), null);
        second.Slot.ShouldBe(first.Slot);
        Should.Throw<InvariantException>(() => unacked.Remove(first, out _));
        unacked.Remove(second, out _).Sequence.ShouldBe(2UL);
    }

    [Fact]
    public void Clearing_releases_every_message_once()
    {
        var unacked = new UnackedMessages();
        Message[] messages = [.. Enumerable.Range(0, 10).Select(_ => TestMessages.Create())];
        for (int i = 0; i < messages.Length; i++)
        {
            messages[i].AddReferences(1);
            DeliveryId id = unacked.Add(new QueueEntry(messages[i], (ulong)i), null);
            if (i % 2 != 0) continue;
            unacked.Remove(id, out _);
            messages[i].Release();
        }
        unacked.Clear();
        unacked.Count.ShouldBe(0);
        messages.ShouldAllBe(m => TestMessages.References(m) == 1);
    }
}
