using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;
using static Harrier.Amqp.Tests.V10.Management.Any10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>Bindings over the management node.</summary>
[Trait("Note", "114")]
public class BindingRequestTests
{
    private readonly ManagementClient _client = ManagementClient.Create();

    public BindingRequestTests()
    {
        _client.Status("PUT", "/queues/q", Map()).ShouldBe(201);
        _client.Status("PUT", "/exchanges/x", Map()).ShouldBe(204);
    }

    [Fact]
    public void A_queue_is_bound_and_unbound()
    {
        _client.Send("POST", "/bindings", Binding("amq.direct", queue: "q", key: "a key")).ShouldBe((204, "null"));
        Binding made = From("amq.direct").ShouldHaveSingleItem();
        (made.Destination.Queue!.NameText, made.RoutingKey, made.Arguments.Count).ShouldBe(("q", "a key", 0));
        _client.Send("GET", "/bindings?src=amq.direct&dstq=q&key=a+key").ShouldBe((200,
            """[{"source": "amq.direct", "destination_queue": "q", "binding_key": "a key", "arguments": {}, "location": "/bindings/src=amq.direct;dstq=q;key=a%20key;args="}]"""));
        _client.Send("DELETE", "/bindings/src=amq.direct;dstq=q;key=a%20key;args=").ShouldBe((204, "null"));
        From("amq.direct").ShouldBeEmpty();
    }

    [Fact]
    public void An_exchange_is_bound_and_unbound()
    {
        _client.Send("POST", "/bindings", Binding("amq.direct", exchange: "x", key: "")).ShouldBe((204, "null"));
        From("amq.direct").ShouldHaveSingleItem().Destination.Name.ShouldBe("x");
        _client.Send("GET", "/bindings?src=amq.direct&dste=x&key=").ShouldBe((200,
            """[{"source": "amq.direct", "destination_exchange": "x", "binding_key": "", "arguments": {}, "location": "/bindings/src=amq.direct;dste=x;key=;args="}]"""));
        _client.Send("DELETE", "/bindings/src=amq.direct;dste=x;key=;args=").ShouldBe((204, "null"));
        From("amq.direct").ShouldBeEmpty();
    }

    [Fact]
    public void Bindings_that_differ_only_in_their_arguments_have_locations_of_their_own()
    {
        _client.Status("POST", "/bindings", Binding("amq.headers", queue: "q", arguments: Map(("a", 1), ("x-match", "all")))).ShouldBe(204);
        _client.Status("POST", "/bindings", Binding("amq.headers", queue: "q", arguments: Map(("a", 2), ("x-match", "all")))).ShouldBe(204);
        _client.Status("POST", "/bindings", Binding("amq.headers", queue: "q")).ShouldBe(204);
        string[] locations = Locations("/bindings?src=amq.headers&dstq=q&key=");
        locations.Length.ShouldBe(3);
        locations.ShouldBeUnique();
        _client.Status("DELETE", Locations("/bindings?src=amq.headers&dstq=q&key=").Single(l => l.EndsWith("args=", StringComparison.Ordinal))).ShouldBe(204);
        From("amq.headers").Count.ShouldBe(2);
        From("amq.headers").ShouldAllBe(b => b.Arguments.Count == 2);
        _client.Status("DELETE", Locations("/bindings?src=amq.headers&dstq=q&key=")[0]).ShouldBe(204);
        _client.Status("DELETE", Locations("/bindings?src=amq.headers&dstq=q&key=")[0]).ShouldBe(204);
        From("amq.headers").ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_bindings_that_were_asked_for_are_listed()
    {
        _client.Status("POST", "/bindings", Binding("amq.direct", queue: "q", key: "a"));
        _client.Status("POST", "/bindings", Binding("amq.direct", queue: "q", key: "b"));
        _client.Status("POST", "/bindings", Binding("amq.topic", queue: "q", key: "a"));
        _client.Status("POST", "/bindings", Binding("amq.direct", exchange: "x", key: "a"));
        Locations("/bindings?src=amq.direct&dstq=q&key=a").ShouldBe(["/bindings/src=amq.direct;dstq=q;key=a;args="]);
        Locations("/bindings?key=a&dste=x&src=amq.direct").ShouldBe(["/bindings/src=amq.direct;dste=x;key=a;args="]);
        _client.Send("GET", "/bindings?src=amq.direct&dstq=none&key=a").ShouldBe((200, "[]"));
    }

    [Fact]
    public void Every_queue_is_bound_to_the_default_exchange_by_its_name()
    {
        _client.Send("GET", "/bindings?src=&dstq=q&key=q").ShouldBe((200,
            """[{"source": "", "destination_queue": "q", "binding_key": "q", "arguments": {}, "location": "/bindings/src=;dstq=q;key=q;args="}]"""));
        foreach (string none in (string[])["dstq=q&key=other", "dstq=none&key=none", "dste=x&key=x", "dstq=&key="])
            _client.Send("GET", "/bindings?src=&" + none).ShouldBe((200, "[]"));
        _client.Send("DELETE", "/bindings/src=;dstq=q;key=q;args=").ShouldBe((400, "\"bad binding path segment 'src=;dstq=q;key=q;args='\""));
    }

    [Fact]
    public void What_is_not_bound_is_unbound()
    {
        _client.Status("POST", "/bindings", Binding("amq.direct", queue: "q", key: "a"));
        _client.Status("DELETE", "/bindings/src=amq.direct;dstq=q;key=a;args=AAAA").ShouldBe(204);
        _client.Status("DELETE", "/bindings/src=amq.direct;dstq=q;key=b;args=").ShouldBe(204);
        _client.Status("DELETE", "/bindings/src=none;dstq=none;key=a;args=").ShouldBe(204);
        From("amq.direct").ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("", "q", null, 403, "operation not permitted on the default exchange")]
    [InlineData("amq.direct", null, "", 403, "operation not permitted on the default exchange")]
    [InlineData("a\nb", "q", null, 400, "Bad name 'a\nb': line feed and carriage return characters not allowed")]
    [InlineData("amq.direct", "a\rb", null, 400, "Bad name 'a\rb': line feed and carriage return characters not allowed")]
    [InlineData("amq.direct", "none", null, 400, "no queue 'none' in vhost '/'")]
    [InlineData("none", "q", null, 400, "no exchange 'none' in vhost '/'")]
    [InlineData("amq.direct", "amq.rabbitmq.reply-to", null, 403, "cannot bind or unbind to a volatile (direct reply-to) queue")]
    public void Ends_that_are_none_are_refused(string source, string? queue, string? exchange, int status, string text) =>
        _client.Send("POST", "/bindings", Binding(source, queue, exchange)).ShouldBe((status, $"\"{text}\""));

    [Fact]
    public void Fields_that_a_binding_does_not_have_or_has_to_have_are_refused()
    {
        _client.Send("POST", "/bindings", Map(("unknown", true))).ShouldBe((400, "\"bad binding field {{utf8,<<\"unknown\">>},true}\""));
        _client.Send("POST", "/bindings", Map(("source", new byte[] { 65 }))).ShouldBe((400, "\"bad binding field {{utf8,<<\"source\">>},{binary,<<\"A\">>}}\""));
        _client.Send("POST", "/bindings", Map()).ShouldBe((400, "\"missing 'source' in binding\""));
        _client.Send("POST", "/bindings", Map(("source", "x"))).ShouldBe((400, "\"missing 'destination_queue' in binding\""));
        _client.Send("POST", "/bindings", Map(("source", "x"), ("destination_queue", "q"))).ShouldBe((400, "\"missing 'binding_key' in binding\""));
        _client.Send("POST", "/bindings", Binding("amq.direct", queue: "q", key: new string('k', 256))).ShouldBe((400, "\"a name or binding key has more than 255 bytes\""));
        _client.Send("POST", "/bindings", Binding("amq.topic", queue: "q", key: "#.#.#")).Status.ShouldBe(400);
    }

    [Theory]
    [InlineData("/bindings/src=e1;dstq=q1;invalidkey=k1;args=")]
    [InlineData("/bindings/src=e1;dstx=q1;key=k1;args=")]
    [InlineData("/bindings/src=;dstq=q1;key=k1;args=")]
    [InlineData("/bindings/src=e1;dstq=;key=k1;args=")]
    [InlineData("/bindings/src=e1;dstq=q1;key=k1")]
    [InlineData("/bindings/")]
    public void A_location_that_is_none_is_refused(string uri) =>
        _client.Send("DELETE", uri).ShouldBe((400, $"\"bad binding path segment '{uri["/bindings/".Length..]}'\""));

    [Theory]
    [InlineData("/bindings", "'src' in query")]
    [InlineData("/bindings?src=x", "'key' in query")]
    [InlineData("/bindings?src=x&key=", "'dste' or 'dstq' in query: #{<<\"key\">> => <<>>,<<\"src\">> => <<\"x\">>}")]
    [InlineData("/bindings?src=a+b&key=%C3%A9&dst=q", "'dste' or 'dstq' in query: #{<<\"dst\">> => <<\"q\">>,<<\"key\">> => <<\"é\"/utf8>>,<<\"src\">> => <<\"a b\">>}")]
    public void A_query_needs_its_parameters(string uri, string missing) => _client.Send("GET", uri).ShouldBe((400, $"\"missing {missing}\""));

    [Fact]
    public void Permissions_apply()
    {
        ManagementClient other = _client.Another(TestUsers.Create("u", "p", TestUsers.May(configure: "^$", write: "^$", read: ".*")));
        other.Send("POST", "/bindings", Binding("amq.direct", queue: "q")).ShouldBe((403, "\"write access to queue 'q' in vhost '/' refused for user 'u'\""));
        _client.Status("POST", "/bindings", Binding("amq.direct", queue: "q"));
        other.Send("DELETE", "/bindings/src=amq.direct;dstq=q;key=;args=").ShouldBe((403, "\"write access to queue 'q' in vhost '/' refused for user 'u'\""));
        From("amq.direct").ShouldHaveSingleItem();
    }

    [Fact]
    public void A_list_that_is_too_long_is_refused()
    {
        string large = new('v', 100_000);
        for (int i = 0; i < 11; i++) _client.Status("POST", "/bindings", Binding("amq.headers", queue: "q", arguments: Map(("n", i), ("v", large)))).ShouldBe(204);
        _client.Send("GET", "/bindings?src=amq.headers&dstq=q&key=").ShouldBe((400, "\"the reply would have more than 1048576 bytes\""));
    }

    private static Dictionary<string, object?> Binding(string source, string? queue = null, string? exchange = null, string key = "", object? arguments = null)
    {
        Dictionary<string, object?> body = Map(("source", source), ("binding_key", key), ("arguments", arguments ?? Map()));
        if (queue is not null) body["destination_queue"] = queue;
        if (exchange is not null) body["destination_exchange"] = exchange;
        return body;
    }

    private ImmutableHashSet<Binding> From(Utf8Name exchange) => _client.Topology.BindingsFrom(exchange);

    private string[] Locations(string uri)
    {
        (int status, string body) = _client.Send("GET", uri);
        status.ShouldBe(200);
        return [.. body.Split("\"location\": \"").Skip(1).Select(part => part[..part.IndexOf('"')])];
    }
}
