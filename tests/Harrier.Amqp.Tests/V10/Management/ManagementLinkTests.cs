using System.Text;
using Harrier.Protocol.Amqp10;
using static Harrier.Amqp.Tests.V10.Management.Any10;

namespace Harrier.Amqp.Tests.V10.Management;

/// <summary>The two links between a peer and the management node: how they are attached, and when replies go out on them.</summary>
[Trait("Note", "114")]
public class ManagementLinkTests
{
    [Fact]
    public async Task A_request_goes_in_on_one_link_and_its_reply_comes_out_on_the_other()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Request("PUT", "/queues/q", Map(), messageId: "first");
        Reply reply = await peer.ExpectReply();
        (reply.Status, reply.CorrelationId).ShouldBe((201, "\"first\""));
        reply.Body.ShouldContain("\"name\": \"q\"");
        reply.Body.ShouldContain("\"leader\": \"harrier@localhost\"");
        (await peer.Call("GET", "/queues/none")).ShouldBe((404, "\"queue 'none' in vhost '/' not found\""));
        peer.Topology.Queues.ContainsKey("q").ShouldBeTrue();
    }

    [Theory]
    [InlineData(Role.Sender)]
    [InlineData(Role.Receiver)]
    public async Task A_link_that_is_not_paired_is_refused(Role role)
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.Attach(role, handle: 0, paired: false);
        AttachHasTerminus(await peer.Expect(Attach.Code), role).ShouldBeFalse();
        (await peer.ExpectDetach(0)).ShouldBe("amqp:invalid-field: Link property 'paired' is not set to boolean value 'true'");
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task Attaches_are_answered_as_pairs()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        foreach (Role role in new[] { Role.Receiver, Role.Sender }) // either may come first
        {
            await peer.Attach(role, handle: (uint)role, messageBytesMax: 100_000);
            byte[] attach = await peer.Expect(Attach.Code);
            AttachHasTerminus(attach, role).ShouldBeTrue();
            AttachProperties(attach).ShouldBe("{:paired: true}");
        }
        (await peer.ExpectFlow()).Credit.ShouldBe(8u);
    }

    [Fact]
    public async Task There_is_one_link_of_each_direction_to_a_pair_and_there_may_be_many_pairs()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Attach(Role.Sender, handle: 2);
        await peer.Expect(Attach.Code);
        (await peer.ExpectDetach(2)).ShouldBe("amqp:precondition-failed: the management link pair 'pair' has a link of this direction");
        await peer.Attach(Role.Receiver, handle: 3);
        await peer.Expect(Attach.Code);
        (await peer.ExpectDetach(3)).ShouldStartWith("amqp:precondition-failed");
        await peer.Attach(Role.Sender, handle: 4, name: "another");
        await peer.Expect(Attach.Code);
        await peer.ExpectFlow();
        (await peer.Call("PUT", "/exchanges/x", Map())).Status.ShouldBe(204);
    }

    [Fact]
    public async Task A_request_that_nobody_waits_for_ends_its_link()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.Attach(Role.Sender, ManagementPeer.Requests);
        await peer.Expect(Attach.Code);
        await peer.ExpectFlow();
        await peer.Request("PUT", "/queues/q", Map());
        (await peer.ExpectDetach(ManagementPeer.Requests)).ShouldBe("amqp:precondition-failed: received transfer on half open management link pair");
        peer.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_link_that_was_detached_can_be_attached_again()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair(credit: 0);
        for (int i = 0; i < 8; i++) await peer.Request("GET", "/queues/q");
        await peer.Send(new Detach { Handle = ManagementPeer.Replies, Closed = true }); // the replies are lost
        await peer.ExpectDetach(ManagementPeer.Replies);
        await peer.Attach(Role.Receiver, ManagementPeer.Replies);
        await peer.Expect(Attach.Code);
        (await peer.ExpectFlow()).ShouldBe((ManagementPeer.Requests, 8u, 8u, false));
        await peer.Grant(10);
        (await peer.Call("PUT", "/queues/q", Map())).Status.ShouldBe(201);
        await peer.Send(new Detach { Handle = ManagementPeer.Requests, Closed = true });
        await peer.ExpectDetach(ManagementPeer.Requests);
        await peer.Attach(Role.Sender, ManagementPeer.Requests);
        await peer.Expect(Attach.Code);
        await peer.ExpectFlow();
        (await peer.Call("DELETE", "/queues/q")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Requests_are_accepted_unless_they_were_settled()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Request("PUT", "/queues/q", Map(), settled: false);
        (await peer.ExpectReply()).Status.ShouldBe(201);
        Settlement(await peer.Expect(Disposition.Code)).ShouldBe((0u, true, Accepted.Code));
    }

    [Fact]
    public async Task Replies_wait_for_credit_and_while_they_do_no_more_requests_may_come()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair(credit: 0);
        for (int i = 0; i < 8; i++) await peer.Request("PUT", $"/queues/q{i}", Map(), messageId: (ulong)i);
        await peer.ExpectQuiet();
        peer.Topology.Queues.Count.ShouldBe(8);
        await peer.Grant(3);
        for (int i = 0; i < 3; i++)
        {
            (await peer.ExpectReply()).CorrelationId.ShouldBe($"{i} ulong");
            (await peer.ExpectFlow()).ShouldBe((ManagementPeer.Requests, (uint)i + 1, 8u, false)); // one more for each reply
        }
        await peer.ExpectQuiet();
        await peer.Grant(5, deliveryCount: 3);
        for (int i = 3; i < 8; i++)
        {
            (await peer.ExpectReply()).CorrelationId.ShouldBe($"{i} ulong");
            if (i < 5) (await peer.ExpectFlow()).Credit.ShouldBe((uint)i + 1);
        }
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task Replies_that_wait_have_their_limit()
    {
        await using ManagementPeer peer = await ManagementPeer.Open(frameBytesMax: 4096);
        await peer.AttachPair(credit: 10);
        await peer.Request("PUT", "/queues/q", Map());
        (await peer.ExpectReply()).Status.ShouldBe(201);
        for (int i = 0; i < 9; i++)
        {
            Dictionary<string, object?> arguments = Map(("n", i), ("large", new string('l', 100_000)));
            object binding = Map(("source", "amq.headers"), ("destination_queue", "q"), ("binding_key", ""), ("arguments", arguments));
            await peer.Request("POST", "/bindings", binding);
            (await peer.ExpectReply()).Status.ShouldBe(204);
            if (i is 2 or 6) await peer.ExpectFlow();
        }
        for (int i = 0; i < 5; i++) await peer.Request("GET", "/bindings?src=amq.headers&dstq=q&key=");
        (await peer.ExpectFlow()).Handle.ShouldBe(ManagementPeer.Requests);
        (await peer.ExpectDetach(ManagementPeer.Replies)).ShouldBe("amqp:resource-limit-exceeded: more than 4194304 bytes of management replies wait for credit");
        (await peer.ExpectFlow()).Handle.ShouldBe(ManagementPeer.Requests); // none of the requests is under way any more
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task More_requests_than_may_come_end_the_link()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair(credit: 0);
        for (int i = 0; i < 9; i++) await peer.Request("GET", "/queues/q");
        (await peer.ExpectDetach(ManagementPeer.Requests)).ShouldStartWith("amqp:link:transfer-limit-exceeded");
    }

    [Fact]
    public async Task Credit_that_is_drained_is_used_up()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair(credit: 0);
        await peer.Grant(3, drain: true);
        (await peer.ExpectFlow()).ShouldBe((ManagementPeer.Replies, 0u, 3u, true));
        await peer.Request("PUT", "/queues/q", Map());
        await peer.ExpectQuiet();
        await peer.Grant(1, deliveryCount: 3);
        (await peer.ExpectReply()).Status.ShouldBe(201);
    }

    [Fact]
    public async Task Replies_wait_for_the_sessions_window_and_a_drain_waits_for_them()
    {
        await using ManagementPeer peer = await ManagementPeer.Open(frameBytesMax: 512, incomingWindow: 0);
        await peer.AttachPair(credit: 0);
        await peer.Grant(5, incomingWindow: 0);
        await peer.Request("PUT", "/queues/q", Map(("arguments", Map(("x-note", new string('n', 2000))))));
        await peer.Grant(5, incomingWindow: 1, drain: true);
        await peer.Grant(5, incomingWindow: 2, drain: true); // one of the two is used up: the peer says that it has nothing of it yet
        await peer.Send(new Flow { NextIncomingId = 0, IncomingWindow = 100, NextOutgoingId = 1, OutgoingWindow = 100 });
        Reply reply = await peer.ExpectReply();
        (reply.Status, reply.Transfers).ShouldBe((201, 6));
        (await peer.ExpectFlow()).ShouldBe((ManagementPeer.Replies, 0u, 5u, true));
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task A_request_may_come_in_many_transfers()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Transfer(ManagementClient.Message("PUT", "/queues/q", Map()), payloadBytesMax: 7);
        (await peer.ExpectReply()).Status.ShouldBe(201);
    }

    [Fact]
    public async Task A_request_that_is_too_large_ends_its_link()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Transfer(new byte[131_073], payloadBytesMax: 65_537);
        (await peer.ExpectDetach(ManagementPeer.Requests)).ShouldBe("amqp:link:message-size-exceeded: message size (131073 bytes) > maximum message size (131072 bytes)");
    }

    [Fact]
    public async Task A_reply_that_the_peer_does_not_take_ends_its_link()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.Attach(Role.Sender, ManagementPeer.Requests);
        await peer.Expect(Attach.Code);
        await peer.ExpectFlow();
        await peer.Attach(Role.Receiver, ManagementPeer.Replies, messageBytesMax: 100);
        await peer.Expect(Attach.Code);
        await peer.Grant(10);
        (await peer.Call("DELETE", "/queues/q")).Status.ShouldBe(200);
        await peer.Request("PUT", "/queues/q", Map());
        (await peer.ExpectDetach(ManagementPeer.Replies)).ShouldStartWith("amqp:link:message-size-exceeded");
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task What_is_no_request_ends_its_link()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        await peer.Transfer(ManagementClient.Message("PUT", "/queues/q", Map(), replyTo: "elsewhere"));
        (await peer.ExpectDetach(ManagementPeer.Requests)).ShouldStartWith("amqp:invalid-field");
        await peer.Send(new Detach { Handle = ManagementPeer.Requests, Closed = true });
        await peer.Attach(Role.Sender, ManagementPeer.Requests);
        await peer.Expect(Attach.Code);
        await peer.ExpectFlow();
        await peer.Transfer(Encoding.UTF8.GetBytes("no message at all"));
        (await peer.ExpectDetach(ManagementPeer.Requests)).ShouldStartWith("amqp:decode-error");
        await peer.ExpectQuiet();
    }

    [Fact]
    public async Task An_exclusive_queue_goes_with_the_connection()
    {
        ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair();
        (await peer.Call("PUT", "/queues/q", Map(("exclusive", true)))).Status.ShouldBe(201);
        await peer.DisposeAsync();
        peer.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_reply_waits_for_the_log()
    {
        using var storage = new TestStorage(new SimDisk(1));
        await using ManagementPeer peer = await ManagementPeer.Open(storage);
        await peer.AttachPair();
        await peer.Request("PUT", "/queues/q", Map());
        Task<Reply> reply = peer.ExpectReply();
        await storage.WhenLogged();
        reply.IsCompleted.ShouldBeFalse();
        storage.Commit();
        (await reply).Status.ShouldBe(201);
        (await peer.Call("GET", "/queues/q")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task The_session_may_end_while_replies_wait()
    {
        await using ManagementPeer peer = await ManagementPeer.Open();
        await peer.AttachPair(credit: 0);
        for (int i = 0; i < 5; i++) await peer.Request("GET", "/queues/q");
        await peer.Send(new End());
        await peer.Expect(End.Code);
        await peer.Send(new Close());
        await peer.Expect(Close.Code);
    }

    private static bool AttachHasTerminus(byte[] body, Role role)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        Attach attach = Attach.Decode(ref reader);
        attach.Role.ShouldBe(role == Role.Sender ? Role.Receiver : Role.Sender);
        return role == Role.Sender ? !attach.Target.IsEmpty : !attach.Source.IsEmpty;
    }

    private static string AttachProperties(byte[] body)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        return Any10.Text(Attach.Decode(ref reader).Properties);
    }

    private static (uint First, bool Settled, ulong State) Settlement(byte[] body)
    {
        var reader = new ValueReader(body);
        reader.ReadDescriptor();
        Disposition disposition = Disposition.Decode(ref reader);
        var state = new ValueReader(disposition.State);
        return (disposition.First, disposition.Settled, state.ReadDescriptor());
    }
}
