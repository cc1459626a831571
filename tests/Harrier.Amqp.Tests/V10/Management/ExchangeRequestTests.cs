using Harrier.Broker.Topology;
using static Harrier.Amqp.Tests.V10.Management.Any10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>Exchanges over the management node.</summary>
[Trait("Note", "114")]
public class ExchangeRequestTests
{
    private readonly ManagementClient _client = ManagementClient.Create();

    [Fact]
    public void An_exchange_is_durable_and_direct_unless_said_otherwise()
    {
        _client.Send("PUT", "/exchanges/x", Map()).ShouldBe((204, "null"));
        Exchange made = _client.Topology.Exchanges["x"];
        (made.Type, made.IsDurable, made.IsAutoDelete, made.IsInternal, made.Arguments.Count).ShouldBe((ExchangeType.Direct, true, false, false, 0));
        _client.Status("PUT", "/exchanges/x", Map(("type", "direct"))).ShouldBe(204);
    }

    [Fact]
    public void Every_property_counts()
    {
        object body = Map(
            ("type", "topic"), ("durable", false), ("auto_delete", true), ("internal", true), ("arguments", Map(("alternate-exchange", "amq.fanout"))));
        _client.Status("PUT", "/exchanges/x%2Fy", body).ShouldBe(204);
        Exchange made = _client.Topology.Exchanges["x/y"];
        (made.Type, made.IsDurable, made.IsAutoDelete, made.IsInternal).ShouldBe((ExchangeType.Topic, false, true, true));
        made.AlternateExchange.ShouldBe("amq.fanout");
    }

    [Fact]
    public void Deleting_makes_it_not_exist()
    {
        _client.Status("PUT", "/exchanges/x", Map());
        _client.Send("DELETE", "/exchanges/x").ShouldBe((204, "null"));
        _client.Topology.Exchanges.ContainsKey("x").ShouldBeFalse();
        _client.Send("DELETE", "/exchanges/x").ShouldBe((204, "null"));
    }

    [Theory]
    [InlineData("PUT", "/exchanges/", 403, "operation not permitted on the default exchange")]
    [InlineData("DELETE", "/exchanges/", 403, "operation not permitted on the default exchange")]
    [InlineData("PUT", "/exchanges/amq.x", 403, "exchange 'amq.x' in vhost '/' starts with reserved prefix 'amq.'")]
    [InlineData("DELETE", "/exchanges/amq.fanout", 403, "exchange 'amq.fanout' in vhost '/' starts with reserved prefix 'amq.'")]
    [InlineData("PUT", "/exchanges/a%0Ab", 400, "Bad name 'a\nb': line feed and carriage return characters not allowed")]
    [InlineData("DELETE", "/exchanges/a%0Db", 400, "Bad name 'a\rb': line feed and carriage return characters not allowed")]
    public void Names_that_are_none_are_refused(string method, string uri, int status, string text) =>
        _client.Send(method, uri, Map()).ShouldBe((status, $"\"{text}\""));

    [Fact]
    public void What_there_is_from_the_beginning_may_be_declared_as_it_is()
    {
        _client.Status("PUT", "/exchanges/amq.fanout", Map(("type", "fanout"))).ShouldBe(204);
        _client.Status("PUT", "/exchanges/amq.fanout", Map(("type", "direct"))).ShouldBe(409);
    }

    [Fact]
    public void Properties_that_an_exchange_does_not_have_are_refused()
    {
        _client.Send("PUT", "/exchanges/x", Map(("unknown", "bla"))).ShouldBe((400, "\"bad exchange property {{utf8,<<\"unknown\">>},{utf8,<<\"bla\">>}}\""));
        _client.Send("PUT", "/exchanges/x", Map(("type", new Symbol("direct")))).ShouldBe((400, "\"bad exchange property {{utf8,<<\"type\">>},{symbol,<<\"direct\">>}}\""));
        _client.Send("PUT", "/exchanges/x", Map(("type", "🤷"))).ShouldBe((400, "\"unknown exchange type '🤷'\""));
        _client.Send("PUT", "/exchanges/x", new object?[] { 1 }).ShouldBe((400, "\"the body of this request is a map\""));
    }

    [Fact]
    public void An_exchange_that_differs_is_a_conflict()
    {
        _client.Status("PUT", "/exchanges/x", Map());
        _client.Send("PUT", "/exchanges/x", Map(("type", "fanout")))
            .ShouldBe((409, "\"inequivalent arg 'type' for exchange 'x' in vhost '/': received 'fanout' but current is 'direct'\""));
    }

    [Fact]
    public void Permissions_apply()
    {
        ManagementClient other = _client.Another(TestUsers.Create("reader", "p", TestUsers.May(configure: "^$", write: ".*", read: ".*")));
        other.Send("PUT", "/exchanges/x", Map()).ShouldBe((403, "\"configure access to exchange 'x' in vhost '/' refused for user 'reader'\""));
        other.Send("DELETE", "/exchanges/x").ShouldBe((403, "\"configure access to exchange 'x' in vhost '/' refused for user 'reader'\""));
    }
}
