using static Harrier.Amqp.Tests.BrokerConversations;

namespace Harrier.Amqp.Tests;

/// <summary>Exchanges that give a queue that is bound late the last messages.</summary>
public class RecentHistoryTests
{
    [Fact]
    public async Task A_queue_that_is_bound_late_gets_the_last_messages_in_their_order()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-recent-history", arguments: Fields.Of(("x-recent-history-length", 3)));
        for (int i = 1; i <= 5; i++) await client.Publish("x", $"k{i}", $"{i}");
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "whatever");
        WireContent first = await client.Get("q");
        (first.Text, first.Exchange, first.RoutingKey).ShouldBe(("3", "x", "k3"));
        (await client.Drain("q")).ShouldBe(["4", "5"]);
        await client.Publish("x", "", "6");
        (await client.Drain("q")).ShouldBe(["6"]);
        await client.Bind("q", "x", "whatever");
        await client.GetNothing("q"); // it was bound before
        await client.Bind("q", "x", "another key");
        (await client.Drain("q")).ShouldBe(["4", "5", "6"]);
    }

    [Fact]
    public async Task Twenty_are_kept_unless_it_is_said_otherwise()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-recent-history");
        for (int i = 1; i <= 25; i++) await client.Publish("x", "", $"{i}");
        await client.DeclareQueue("q");
        await client.Bind("q", "x", "");
        (await client.Drain("q")).ShouldBe([.. Enumerable.Range(6, 20).Select(i => $"{i}")]);
    }

    [Fact]
    public async Task What_asks_not_to_be_kept_is_not()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-recent-history");
        await client.DeclareQueue("early");
        await client.Bind("early", "x", "");
        await client.Publish("x", "", "kept");
        await client.Publish("x", "", "secret", Headed(("x-recent-history-no-store", true)));
        await client.DeclareQueue("late");
        await client.Bind("late", "x", "");
        (await client.Drain("late")).ShouldBe(["kept"]);
        (await client.Drain("early")).ShouldBe(["kept", "secret"]);
    }

    [Fact]
    public async Task An_exchange_that_is_bound_late_routes_the_last_messages()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-recent-history");
        await client.Publish("x", "a", "1");
        await client.Publish("x", "b", "2");
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "b");
        await client.BindExchange("amq.direct", "x", "");
        (await client.Drain("q")).ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_message_that_is_kept_counts_as_routed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareExchange("x", "x-recent-history");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("x", "", "x", mandatory: true);
        (await client.ExpectAck()).ShouldBe((1ul, false));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(100_001)]
    [InlineData("5")]
    public async Task The_length_must_be_a_positive_number(object length)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ExchangeDeclare { Exchange = "x"u8, Type = "x-recent-history"u8, Arguments = Fields.Of(("x-recent-history-length", length)) });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - Invalid argument, 'x-recent-history-length' must be a positive integer", 40, 10);
    }
}
