using Harrier.Broker.Queues;
using Harrier.Broker.Security;
using static Harrier.Amqp.Tests.V10.Management.Any10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>Queues over the management node.</summary>
[Trait("Note", "114")]
public class QueueRequestTests
{
    private readonly ManagementClient _client = ManagementClient.Create();

    [Fact]
    public void A_queue_is_durable_unless_said_otherwise_and_the_reply_tells_all_of_it()
    {
        const string Description =
            """{"leader": "harrier@test", "replicas": ["harrier@test"], "message_count": 0 ulong, "consumer_count": 0 uint, "name": "q", "vhost": "/",""" +
            """ "durable": true, "auto_delete": false, "exclusive": false, "type": "classic", "arguments": {}}""";
        _client.Send("PUT", "/queues/q", Map()).ShouldBe((201, Description));
        _client.Send("PUT", "/queues/q", Map()).ShouldBe((200, Description));
        _client.Send("GET", "/queues/q").ShouldBe((200, Description));
    }

    [Fact]
    public void Every_property_counts()
    {
        object body = Map(("durable", false), ("exclusive", true), ("auto_delete", true), ("arguments", Map(("x-max-length", 5ul))));
        (int status, string reply) = _client.Send("PUT", "/queues/q", body);
        status.ShouldBe(201);
        reply.ShouldContain("""
            "durable": false, "auto_delete": true, "exclusive": true, "type": "classic", "arguments": {"x-max-length": 5 long}}
            """);
        QueueDefinition made = _client.Topology.Queues["q"].Definition;
        (made.IsDurable, made.IsExclusive, made.IsAutoDelete).ShouldBe((false, true, true));
        made.Arguments.Find("x-max-length")!.Value.Integer.ShouldBe(5);
    }

    [Fact]
    public void The_type_is_told()
    {
        (int status, string reply) = _client.Send("PUT", "/queues/q", Map(("arguments", Map(("x-queue-type", "quorum")))));
        status.ShouldBe(201);
        reply.ShouldContain(""" "type": "quorum", "arguments": {"x-queue-type": "quorum"}""");
    }

    [Theory]
    [InlineData("/queues/a%2Fb", "a/b")]
    [InlineData("/queues/%F0%9F%99%88%20%21", "🙈 !")]
    [InlineData("/queues/a+b", "a+b")]
    [InlineData("/queues/messages", "messages")]
    public void Names_are_percent_encoded(string uri, string name)
    {
        _client.Status("PUT", uri, Map()).ShouldBe(201);
        _client.Topology.Queues.ContainsKey(name).ShouldBeTrue();
        _client.Status("GET", uri).ShouldBe(200);
        _client.Status("DELETE", uri + "/messages").ShouldBe(200);
        _client.Status("DELETE", uri).ShouldBe(200);
        _client.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public void Purging_and_deleting_tell_how_many_messages_have_gone()
    {
        _client.Status("PUT", "/queues/q", Map());
        _client.Send("DELETE", "/queues/q/messages").ShouldBe((200, """{"message_count": 0 ulong}"""));
        _client.Send("DELETE", "/queues/q").ShouldBe((200, """{"message_count": 0 ulong}"""));
        _client.Send("DELETE", "/queues/q").ShouldBe((200, """{"message_count": 0 ulong}"""), "what is not there is deleted (behaviour note 35)");
        _client.Send("DELETE", "/queues/q/messages").ShouldBe((400, "\"no queue 'q' in vhost '/'\""));
    }

    [Fact]
    public void What_is_not_there_is_not_found() => _client.Send("GET", "/queues/%F0%9F%A4%B7").ShouldBe((404, "\"queue '🤷' in vhost '/' not found\""));

    [Theory]
    [InlineData("PUT", "/queues/", 400, "declare queue with empty name not allowed")]
    [InlineData("PUT", "/queues/a%0Ab", 400, "Bad name 'a\nb': line feed and carriage return characters not allowed")]
    [InlineData("DELETE", "/queues/a%0Db", 400, "Bad name 'a\rb': line feed and carriage return characters not allowed")]
    [InlineData("PUT", "/queues/amq.q", 403, "queue 'amq.q' in vhost '/' starts with reserved prefix 'amq.'")]
    [InlineData("PUT", "/queues/amq.rabbitmq.reply-to", 403, "queue 'amq.rabbitmq.reply-to' in vhost '/' starts with reserved prefix 'amq.'")]
    [InlineData("PUT", "/queues/%FF", 400, "a name is percent-encoded UTF-8")]
    [InlineData("PUT", "/queues/%4", 400, "a name is percent-encoded UTF-8")]
    public void Names_that_are_none_are_refused(string method, string uri, int status, string text) =>
        _client.Send(method, uri, Map()).ShouldBe((status, $"\"{text}\""));

    [Fact]
    public void A_name_may_have_255_bytes()
    {
        _client.Status("PUT", "/queues/" + new string('q', 255), Map()).ShouldBe(201);
        _client.Send("PUT", "/queues/" + new string('q', 256), Map()).ShouldBe((400, "\"a name or binding key has more than 255 bytes\""));
    }

    [Fact]
    public void Properties_that_a_queue_does_not_have_are_refused()
    {
        _client.Send("PUT", "/queues/q", Map(("unknown", "bla"))).ShouldBe((400, "\"bad queue property {{utf8,<<\"unknown\">>},{utf8,<<\"bla\">>}}\""));
        _client.Send("PUT", "/queues/q", Map(("durable", 1u))).ShouldBe((400, "\"bad queue property {{utf8,<<\"durable\">>},{uint,1}}\""));
        _client.Send("PUT", "/queues/q", Map(("arguments", null))).ShouldBe((400, "\"bad queue property {{utf8,<<\"arguments\">>},null}\""));
        _client.Send("PUT", "/queues/q").ShouldBe((400, "\"the body of this request is a map\""));
        _client.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public void A_queue_that_differs_is_a_conflict()
    {
        _client.Status("PUT", "/queues/q", Map());
        _client.Send("PUT", "/queues/q", Map(("auto_delete", true)))
            .ShouldBe((409, "\"inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but current is 'false'\""));
        _client.Send("PUT", "/queues/q", Map(("arguments", Map(("x-max-length", 1)))))
            .ShouldBe((409, "\"inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received the value '1' of type 'signedint' but current is none\""));
    }

    [Fact]
    public void Argument_values_that_are_wrong_are_a_conflict() => _client.Send("PUT", "/queues/q", Map(("arguments", Map(("x-max-length", -1)))))
        .Status.ShouldBe(409);

    [Fact]
    public void Another_clients_exclusive_queue_is_locked()
    {
        const string Locked =
            "\"cannot obtain exclusive access to locked queue 'q' in vhost '/'. It could be originally declared on another connection or the exclusive property " +
            "value does not match that of the original declaration.\"";
        _client.Status("PUT", "/queues/q", Map(("exclusive", true))).ShouldBe(201);
        _client.Send("PUT", "/queues/q", Map()).ShouldBe((400, Locked));
        ManagementClient other = _client.Another();
        other.Send("PUT", "/queues/q", Map(("exclusive", true))).ShouldBe((400, Locked));
        other.Send("DELETE", "/queues/q/messages").ShouldBe((400, Locked));
        other.Send("DELETE", "/queues/q").ShouldBe((400, Locked));
        other.Send("GET", "/queues/q").ShouldBe((400, Locked));
        _client.Status("DELETE", "/queues/q").ShouldBe(200);
    }

    [Fact]
    public void Permissions_apply()
    {
        _client.Status("PUT", "/queues/q", Map());
        User reader = TestUsers.Create("reader", "p", TestUsers.May(configure: "^$", write: "^$", read: ".*"));
        ManagementClient other = _client.Another(reader);
        other.Send("PUT", "/queues/q", Map()).ShouldBe((403, "\"configure access to queue 'q' in vhost '/' refused for user 'reader'\""));
        other.Send("DELETE", "/queues/q").ShouldBe((403, "\"configure access to queue 'q' in vhost '/' refused for user 'reader'\""));
        other.Status("GET", "/queues/q").ShouldBe(200);
        other.Status("DELETE", "/queues/q/messages").ShouldBe(200);
        User nobody = TestUsers.Create("nobody", "p", TestUsers.May("^$", "^$", "^$"));
        _client.Another(nobody).Status("GET", "/queues/q").ShouldBe(403);
        _client.Another(nobody).Send("DELETE", "/queues/q/messages").ShouldBe((403, "\"read access to queue 'q' in vhost '/' refused for user 'nobody'\""));
    }
}
