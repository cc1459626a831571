using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Durability;

public class SequenceSetTests
{
    [Fact]
    public void It_is_a_set_whose_ranges_are_in_order_and_never_touch() =>
        Properties.ForAllSequences(
            Gen.Choose(0, 60).SelectMany(first => Gen.Choose(-2, 8), (first, more) => (First: first, Last: first + more)),
            steps =>
            {
                var set = new SequenceSet();
                var model = new HashSet<ulong>();
                foreach ((int first, int last) in steps)
                {
                    if (first == last) set.Add((ulong)first).ShouldBe(model.Add((ulong)first));
                    else if (last >= 0)
                    {
                        set.AddRange((ulong)first, (ulong)last);
                        for (int i = first; i <= last; i++) model.Add((ulong)i);
                    }
                }
                for (ulong i = 0; i < 80; i++) set.Contains(i).ShouldBe(model.Contains(i));
                set.Ranges.Sum(range => (int)(range.Last - range.First + 1)).ShouldBe(model.Count);
                foreach (((ulong First, ulong Last) one, (ulong First, ulong Last) next) in set.Ranges.Zip(set.Ranges.Skip(1))) next.First.ShouldBeGreaterThan(one.Last + 1);
            });

    [Fact]
    public void It_holds_the_lowest_and_the_highest_number()
    {
        var set = new SequenceSet();
        set.Add(ulong.MaxValue).ShouldBeTrue();
        set.Add(0).ShouldBeTrue();
        set.AddRange(1, ulong.MaxValue - 1);
        set.Ranges.ShouldBe([(0ul, ulong.MaxValue)]);
        set.Add(5).ShouldBeFalse();
    }
}
