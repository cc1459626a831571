using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class ReadyMessagesTests
{
    [Fact]
    public void What_returns_is_back_in_its_place_and_marked() => Properties.ForAllSequences(Gen.Choose(0, 1 << 20), steps =>
    {
        var ready = new ReadyMessages();
        var expected = new SortedSet<ulong>();
        var taken = new List<QueueEntry>();
        var returned = new HashSet<ulong>();
        ulong sequence = 0;
        foreach (int step in steps)
        {
            switch (step % 3)
            {
                case 0:
                    ready.Add(new QueueEntry(TestMessages.Create(), sequence));
                    expected.Add(sequence++);
                    break;
                case 1 when expected.Count > 0:
                    QueueEntry entry = ready.First.Take();
                    entry.Sequence.ShouldBe(expected.Min);
                    entry.WasDelivered.ShouldBe(returned.Contains(entry.Sequence));
                    expected.Remove(entry.Sequence);
                    taken.Add(entry);
                    break;
                case 2 when taken.Count > 0:
                    QueueEntry back = taken[step % taken.Count];
                    taken.Remove(back);
                    ready.Return(back with { AcquiredCount = 1 });
                    returned.Add(back.Sequence);
                    expected.Add(back.Sequence);
                    break;
            }
            ready.Count.ShouldBe(expected.Count);
        }
    });
}
