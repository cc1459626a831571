using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class ModulusHashTableTests
{
    [Fact]
    public void Without_bindings_a_message_goes_nowhere() => ModulusHashTable.Empty.Choose("k").ShouldBeNull();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void Every_destination_gets_the_same_part(int count) =>
        Table(Enumerable.Range(0, count)).ChooseAll(20_000).ShouldBeSharedAs([.. Enumerable.Repeat(1, count)]);

    [Fact]
    public void The_order_of_declaration_does_not_matter() =>
        Table([4, 2, 0, 3, 1]).ChooseAll(1_000).ShouldBe(Table([0, 1, 2, 3, 4]).ChooseAll(1_000));

    [Fact]
    public void Binding_keys_do_not_matter_and_a_destination_counts_once()
    {
        IBindingTable table = Table([0, 1]).With(Chooser.Bind(0, "another"));
        table.ChooseAll(20_000).ShouldBeSharedAs(1, 1);
        table.Without(Chooser.Bind(0, "key 0")).ChooseAll(1_000).ShouldBe(table.ChooseAll(1_000));
    }

    /// <summary>Another version that fails here would send messages of one entity to two queues after an upgrade.</summary>
    [Fact]
    public void Places_are_for_good() => Table([0, 1, 2, 3]).ChooseAll(20).ShouldBe([1, 3, 1, 3, 3, 0, 3, 1, 3, 2, 3, 3, 1, 3, 1, 1, 2, 0, 3, 2]);

    [Fact]
    public void Routes_may_be_remembered()
    {
        var routes = new RouteSet(1);
        Table([0, 1]).Choose("k", routes);
        routes.IsForThisMessageOnly.ShouldBeFalse();
    }

    private static IBindingTable Table(IEnumerable<int> queues) =>
        queues.Aggregate((IBindingTable)ModulusHashTable.Empty, (table, queue) => table.With(Chooser.Bind(queue, $"key {queue}")));
}
