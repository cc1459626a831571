using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class ConsistentHashTableTests
{
    private const int Keys = 2_000;

    /// <summary>The weights of queues 0, 1, and so on.</summary>
    private static readonly Gen<int[]> Weights = Gen.Elements(1, 1, 2, 3, 10, 1_000, int.MaxValue).NonEmptyListOf().Select(w => w.Take(20).ToArray());

    [Fact]
    public void Without_bindings_a_message_goes_nowhere() => Table().Choose("k").ShouldBeNull();

    [Fact]
    public void Each_message_goes_to_one_of_the_destinations_always_the_same() => Properties.ForAll(Weights, weights =>
    {
        int[] choices = Table(weights).ChooseAll(200);
        choices.ShouldAllBe(c => c >= 0 && c < weights.Length);
        Table(weights).ChooseAll(200).ShouldBe(choices);
    }, size: 30);

    [Fact]
    public void The_order_of_declaration_does_not_matter() => Properties.ForAll(Weights.Zip(Gen.Choose(0, int.MaxValue)), generated =>
    {
        var (weights, seed) = generated;
        Binding[] bindings = [.. weights.Select((w, queue) => Chooser.Bind(queue, $"{w}"))];
        new Random(seed).Shuffle(bindings);
        bindings.Aggregate(Table(), (table, binding) => table.With(binding)).ChooseAll(200).ShouldBe(Table(weights).ChooseAll(200));
    }, size: 30);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 1, 1, 1, 1, 1, 1)]
    [InlineData(1, 2, 3, 4)]
    [InlineData(10, 1)]
    [InlineData(5, 5, 20, 20, 20)]
    [InlineData(200_000_000, 600_000_000, 1_000_000_000, 200_000_000)]
    public void Shares_are_as_the_weights_say(params int[] weights) => Table(weights).ChooseAll(50_000).ShouldBeSharedAs(weights);

    [Fact]
    public void A_new_destination_takes_its_share_and_nothing_moves_between_the_others() => Properties.ForAll(Weights, weights =>
    {
        int[] after = Table(weights).ChooseAll(Keys), before = Table(weights[..^1]).ChooseAll(Keys);
        int added = weights.Length - 1;
        for (int i = 0; i < Keys; i++)
            if (after[i] != added) after[i].ShouldBe(before[i]);
        double share = weights[added] / weights.Sum(w => (double)w);
        double deviation = Math.Sqrt(Keys * share * (1 - share));
        ((double)after.Count(c => c == added)).ShouldBe(Keys * share, 6 * deviation + 1);
    }, runs: 100, size: 20);

    [Fact]
    public void Without_a_destination_only_its_own_messages_move() => Properties.ForAll(Weights.Zip(Gen.Choose(0, 19)), generated =>
    {
        var (weights, number) = generated;
        int removed = number % weights.Length;
        IBindingTable table = Table(weights);
        int[] before = table.ChooseAll(Keys), after = table.Without(Chooser.Bind(removed, $"{weights[removed]}")).ChooseAll(Keys);
        for (int i = 0; i < Keys; i++)
            if (before[i] != removed) after[i].ShouldBe(before[i]);
        after.ShouldNotContain(removed);
    }, runs: 100, size: 20);

    [Fact]
    public void A_table_does_not_change_when_another_is_made_of_it()
    {
        IBindingTable one = Table(1);
        one.Choose("k").ShouldBe(0);
        IBindingTable two = one.With(Chooser.Bind(1, "1000000"));
        two.Choose("k").ShouldBe(1);
        one.Choose("k").ShouldBe(0);
        two.Without(Chooser.Bind(1, "1000000")).Choose("k").ShouldBe(0);
    }

    /// <summary>Another version that fails here would send messages of one entity to two queues after an upgrade.</summary>
    [Fact]
    public void Places_are_for_good() => Table(1, 2, 3, 4).ChooseAll(20).ShouldBe([2, 3, 2, 1, 3, 0, 1, 2, 3, 2, 3, 3, 2, 3, 2, 2, 3, 3, 2, 1]);

    [Fact]
    public void The_first_binding_of_a_destination_counts_and_then_the_next()
    {
        IBindingTable table = Table(1, 1).With(Chooser.Bind(0, "9"));
        table.ChooseAll(20_000).ShouldBeSharedAs(1, 1);
        table.Without(Chooser.Bind(0, "1")).ChooseAll(20_000).ShouldBeSharedAs(9, 1);
    }

    [Fact]
    public void A_header_decides_instead_of_the_key_and_no_route_is_to_be_remembered()
    {
        IBindingTable table = Table(HashInput.Of(new ArgumentTable(new Argument("hash-header", ArgumentValue.Of("customer")))), 1, 1, 1, 1);
        var routes = new RouteSet(1);
        int?[] choices = [.. Enumerable.Range(0, 50).Select(i => table.Choose($"{i}", routes, new Argument("customer", ArgumentValue.Of("ann"))))];
        choices.Distinct().Count().ShouldBe(1);
        routes.IsForThisMessageOnly.ShouldBeTrue();
        Enumerable.Range(0, 50).Select(i => table.Choose("k", null, new Argument("customer", ArgumentValue.Of($"{i}")))).Distinct().Count().ShouldBe(4);
    }

    [Fact]
    public void Routes_by_the_key_may_be_remembered()
    {
        var routes = new RouteSet(1);
        Table(1, 1).Choose("k", routes);
        routes.IsForThisMessageOnly.ShouldBeFalse();
    }

    [Fact]
    public void Messages_without_the_header_stay_together()
    {
        IBindingTable table = Table(HashInput.Of(new ArgumentTable(new Argument("x-hash-on", ArgumentValue.Of("customer")))), 1, 1, 1, 1);
        Enumerable.Range(0, 50).Select(i => table.Choose($"{i}")).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public void Every_kind_of_header_value_counts_and_the_width_of_a_number_does_not()
    {
        IBindingTable table = Table(HashInput.Of(new ArgumentTable(new Argument("hash-header", ArgumentValue.Of("h")))), [.. Enumerable.Repeat(1, 20)]);
        int? Of(ArgumentValue value) => table.Choose("", null, new Argument("h", value));
        Of(ArgumentValue.OfInteger(ArgumentKind.UnsignedByte, 77)).ShouldBe(Of(ArgumentValue.Of(77L)));
        Spread(i => ArgumentValue.Of(i)).ShouldBeGreaterThan(10);
        Spread(i => ArgumentValue.OfReal(ArgumentKind.Double, i / 3.0)).ShouldBeGreaterThan(10);
        Spread(i => ArgumentValue.OfInteger(ArgumentKind.Timestamp, i)).ShouldBeGreaterThan(10);
        Spread(i => ArgumentValue.OfBytes(ArgumentKind.Bytes, [(byte)i])).ShouldBeGreaterThan(10);
        int Spread(Func<int, ArgumentValue> value) => Enumerable.Range(0, 100).Select(i => Of(value(i))).Distinct().Count();
    }

    [Theory]
    [InlineData("1", 1L)]
    [InlineData("+20", 20L)]
    [InlineData("007", 7L)]
    [InlineData("-3", -3L)]
    [InlineData("2147483647", 2147483647L)]
    [InlineData("99999999999999999999999999", int.MaxValue + 1L)]
    [InlineData("", null)]
    [InlineData("+", null)]
    [InlineData("1.5", null)]
    [InlineData(" 1", null)]
    [InlineData("0x10", null)]
    [InlineData("--1", null)]
    public void Weights_are_read_as_Erlang_reads_integers(string key, long? expected) =>
        ConsistentHashTable.ReadWeight(System.Text.Encoding.UTF8.GetBytes(key)).ShouldBe(expected);

    private static IBindingTable Table(params int[] weights) => Table(HashInput.Of(ArgumentTable.Empty), weights);

    private static IBindingTable Table(HashInput input, params int[] weights)
    {
        IBindingTable table = ConsistentHashTable.Empty(input);
        for (int queue = 0; queue < weights.Length; queue++) table = table.With(Chooser.Bind(queue, $"{weights[queue]}"));
        return table;
    }
}
