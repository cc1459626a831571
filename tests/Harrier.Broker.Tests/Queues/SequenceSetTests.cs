using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class SequenceSetTests
{
    // Some blocks, not all from the start: 4096 sequences each.
    private const int Block = SequenceBlock.Size;
    private const int Highest = 6 * Block;

    // At the borders of blocks as often as anywhere else.
    private static readonly Gen<int> Places =
        Gen.OneOf(Gen.Choose(0, Highest), Gen.Choose(0, 6).SelectMany(_ => Gen.Choose(-2, 2), (block, near) => Math.Clamp(block * Block + near, 0, Highest)));

    [Fact]
    public void It_is_a_set_of_which_ranges_and_counts_can_be_asked() =>
        Properties.ForAllSequences(
            Gen.Choose(0, 5).SelectMany(_ => Places, (kind, from) => (Kind: kind, From: from)).SelectMany(_ => Places, (step, to) => (step.Kind, step.From, To: to)),
            steps =>
            {
                var set = new SequenceSet();
                var model = new HashSet<ulong>();
                foreach ((int kind, int from, int to) in steps)
                {
                    if (kind < 3) set.Add((ulong)from).ShouldBe(model.Add((ulong)from));
                    else AddRange(set, model, from, kind == 3 ? to : from + to % 100 - 1);
                    set.Count.ShouldBe(model.Count);
                }
                set.Ranges.ShouldBe(RangesOf(model));
                foreach ((_, int from, int to) in steps)
                {
                    foreach (ulong near in new[] { (ulong)from, (ulong)from + 1, (ulong)to }) set.Contains(near).ShouldBe(model.Contains(near));
                    set.CountIn((ulong)from, (ulong)to).ShouldBe(model.Count(s => s >= (ulong)from && s <= (ulong)to));
                }
            },
            size: 30);

    [Fact]
    public void Blocks_that_fill_up_one_by_one_become_one_range() =>
        Properties.ForAll(
            Gen.Shuffle(Enumerable.Range(0, 4 * Block).ToArray()),
            order =>
            {
                var set = new SequenceSet();
                foreach (int sequence in order) set.Add((ulong)sequence).ShouldBeTrue();
                set.Ranges.ShouldBe([(0ul, 4ul * Block - 1)]);
                set.Count.ShouldBe(4 * Block);
                set.Add((ulong)order[0]).ShouldBeFalse();
            },
            runs: 10);

    [Fact]
    public void It_holds_the_lowest_and_the_highest_number()
    {
        var set = new SequenceSet();
        set.Add(ulong.MaxValue).ShouldBeTrue();
        set.Add(0).ShouldBeTrue();
        set.CountIn(0, ulong.MaxValue).ShouldBe(2);
        set.AddRange(1, ulong.MaxValue - 1);
        set.Ranges.ShouldBe([(0ul, ulong.MaxValue)]);
        set.Contains(ulong.MaxValue).ShouldBeTrue();
        set.Add(5).ShouldBeFalse();
    }

    [Fact]
    public void Nothing_lies_between_a_number_and_a_lower_one()
    {
        var set = new SequenceSet();
        set.AddRange(7, 6);
        set.Ranges.ShouldBeEmpty();
        set.AddRange(0, 10_000);
        set.CountIn(7, 6).ShouldBe(0);
    }

    [Fact]
    public void A_long_range_takes_next_to_no_memory_and_swallows_what_was_in_its_way()
    {
        var set = new SequenceSet();
        for (ulong sequence = 0; sequence < 1_000_000; sequence += 1000) set.Add(sequence);
        long before = GC.GetAllocatedBytesForCurrentThread();
        set.AddRange(1, 1_000_000_000_000);
        set.AddRange(500_000, 2_000_000_000_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4096);
        set.Ranges.ShouldBe([(0ul, 2_000_000_000_000ul)]);
        set.Count.ShouldBe(2_000_000_000_001);
        set.CountIn(10, 1_999_999_999_999).ShouldBe(1_999_999_999_990);
    }

    [Fact]
    public void A_million_at_random_take_little_more_than_a_bit_for_each_place()
    {
        const int Places = 2_000_000;
        int[] order = [.. Enumerable.Range(0, Places)];
        new Random(1).Shuffle(order);
        var set = new SequenceSet();
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (int sequence in order.AsSpan(0, Places / 2)) set.Add((ulong)sequence).ShouldBeTrue();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(Places * 2 / 8);
        set.Count.ShouldBe(Places / 2);
        foreach (int sequence in order.AsSpan(0, 1000)) set.Contains((ulong)sequence).ShouldBeTrue();
        foreach (int sequence in order.AsSpan(Places / 2, 1000)) set.Contains((ulong)sequence).ShouldBeFalse();
    }

    private static void AddRange(SequenceSet set, HashSet<ulong> model, int first, int last)
    {
        if (last < 0) return;
        set.AddRange((ulong)first, (ulong)last);
        for (int i = first; i <= last; i++) model.Add((ulong)i);
    }

    private static List<(ulong First, ulong Last)> RangesOf(HashSet<ulong> model)
    {
        List<(ulong First, ulong Last)> ranges = [];
        foreach (ulong sequence in model.Order())
        {
            if (ranges.Count > 0 && ranges[^1].Last + 1 == sequence) ranges[^1] = (ranges[^1].First, sequence);
            else ranges.Add((sequence, sequence));
        }
        return ranges;
    }
}
