using Harrier.Broker.Routing;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class RandomTableTests
{
    [Fact]
    public void Without_bindings_a_message_goes_nowhere() => RandomTable.Empty.Choose("k").ShouldBeNull();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Every_destination_gets_the_same_part_whatever_the_keys(int count) =>
        Draw(Table(Enumerable.Range(0, count)), 1, 20_000).ShouldBeSharedAs([.. Enumerable.Repeat(1, count)]);

    [Fact]
    public void Two_bindings_have_two_chances() =>
        Draw(Table([0, 1]).With(Chooser.Bind(0, "another")), 1, 20_000).ShouldBeSharedAs(2, 1);

    [Fact]
    public void Draws_follow_from_their_seed()
    {
        IBindingTable table = Table(Enumerable.Range(0, 10));
        Draw(table, 1, 100).ShouldBe(Draw(table, 1, 100));
        Draw(table, 1, 100).ShouldNotBe(Draw(table, 2, 100));
    }

    [Fact]
    public void No_route_is_to_be_remembered()
    {
        var routes = new RouteSet(1);
        Table([0, 1]).Choose("k", routes);
        routes.IsForThisMessageOnly.ShouldBeTrue();
        routes.Clear();
        routes.IsForThisMessageOnly.ShouldBeFalse();
    }

    [Fact]
    public void What_was_unbound_gets_nothing() =>
        Draw(Table([0, 1]).Without(Chooser.Bind(0, "key 0")), 1, 100).ShouldAllBe(c => c == 1);

    private static int[] Draw(IBindingTable table, ulong seed, int count)
    {
        var routes = new RouteSet(seed);
        return [.. Enumerable.Range(0, count).Select(_ => table.Choose("same key", routes)!.Value)];
    }

    private static IBindingTable Table(IEnumerable<int> queues) =>
        queues.Aggregate((IBindingTable)RandomTable.Empty, (table, queue) => table.With(Chooser.Bind(queue, $"key {queue}")));
}
