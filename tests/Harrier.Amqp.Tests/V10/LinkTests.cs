using System.Text;
using Harrier.Broker.Security;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Attaching and detaching links (1.0 part 2, section 2.6).</summary>
public class LinkTests
{
    [Theory]
    [InlineData(0u)]
    [InlineData(255u)]
    public async Task Attach_of_a_sender_is_answered_by_a_receiver_with_credit(uint handle)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Sender(handle, "/queues/q") with { InitialDeliveryCount = uint.MaxValue });
        WireAttach attach = await client.Expect<WireAttach>();
        (attach.Name, attach.Handle, attach.Role).ShouldBe(($"to-{handle}", handle, Role.Receiver));
        (attach.HasSource, attach.TargetAddress).ShouldBe((true, "/queues/q"));
        attach.MaxMessageSize.ShouldBe((ulong)new ConnectionLimits().MessageBytesMax);
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount).ShouldBe((handle, uint.MaxValue));
        flow.LinkCredit.ShouldBe((uint)new ConnectionLimits().LinkCreditMax);
    }

    [Fact]
    public async Task Attach_of_a_receiver_is_answered_by_a_sender()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(3, "/queues/q"));
        WireAttach attach = await client.Expect<WireAttach>();
        (attach.Name, attach.Handle, attach.Role, attach.InitialDeliveryCount).ShouldBe(("from-3", 3u, Role.Sender, 0u));
        (attach.SourceAddress, attach.HasTarget).ShouldBe(("/queues/q", true));
        attach.SourceOutcomes.ShouldBe(["amqp:accepted:list", "amqp:rejected:list", "amqp:released:list", "amqp:modified:list"]);
        await client.ExpectQuiet();
    }

    [Theory]
    [InlineData(SenderSettleMode.Unsettled, ReceiverSettleMode.First)]
    [InlineData(SenderSettleMode.Settled, ReceiverSettleMode.First)]
    [InlineData(SenderSettleMode.Mixed, ReceiverSettleMode.Second)]
    public async Task Settle_modes_are_those_that_were_asked_for(SenderSettleMode sendMode, ReceiverSettleMode receiveMode)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        foreach (bool isSender in (bool[])[true, false])
        {
            Attach asked = isSender ? Links10.Sender(0, "/queues/q") : Links10.Receiver(1, "/queues/q");
            Task sent = client.Send(asked with { SndSettleMode = sendMode, RcvSettleMode = receiveMode });
            await sent;
            WireAttach attach = await client.Expect<WireAttach>();
            (attach.SndSettleMode, attach.RcvSettleMode).ShouldBe((sendMode, receiveMode));
            if (isSender) await client.Expect<WireFlow>();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handle_may_be_used_again_after_detach(bool closed)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Publish("x");
        await client.Detach(0, closed);
        await client.AttachSender();
        await client.Publish("y");
        await client.Detach(0, closed);
        await client.AttachReceiver(handle: 0);
        await client.Grant(1, handle: 0);
        (await client.ExpectDelivery(handle: 0)).Text.ShouldBe("x");
    }

    [Fact, Trait("Note", "109")]
    public async Task Handle_in_use_ends_the_session()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        await client.AttachSender(5);
        await client.Send(Links10.Receiver(5, "/queues/q"));
        await client.ExpectSessionEnd("amqp:session:handle-in-use");
        await client.ExpectQuiet(2);
    }

    [Fact, Trait("Note", "109")]
    public async Task Handle_above_handle_max_closes_the_connection()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(256, "/queues/q"));
        (await client.ExpectClose("amqp:connection:framing-error")).Description
            .ShouldBe("link handle value (256) exceeds maximum link handle value (255)");
    }

    [Theory, MemberData(nameof(OnNoLink))]
    public async Task What_is_for_no_link_ends_the_session(string _, byte[] performative)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        await client.Send(new Frames10().Frame(performative));
        await client.ExpectSessionEnd("amqp:session:unattached-handle");
        await client.ExpectQuiet(2);
    }

    public static TheoryData<string, byte[]> OnNoLink => new()
    {
        { "flow", Encoded10.Composite(new Flow { Handle = 4, DeliveryCount = 0, LinkCredit = 1 }) },
        { "transfer", Encoded10.Composite(new Transfer { Handle = 4, DeliveryId = 0, DeliveryTag = "t"u8 }) },
        { "detach", Encoded10.Composite(new Detach { Handle = 4 }) },
    };

    [Theory]
    [InlineData(Role.Sender)]
    [InlineData(Role.Receiver)]
    public async Task Terminus_that_is_not_there_is_refused_with_a_detach(Role role)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(8);
        await AssertRefusedAsync(client, role, "/queues/nowhere", "amqp:not-found");
        await client.Publish("x", 8); // the others go on
        await AssertRefusedAsync(client, role, "/queues/nowhere", "amqp:not-found"); // and the handle is free again
    }

    [Theory]
    [InlineData(Role.Sender, "/exchanges/nowhere", "amqp:not-found")]
    [InlineData(Role.Receiver, "/exchanges/amq.direct/k", "amqp:invalid-field")]
    [InlineData(Role.Receiver, "/exchanges/amq.direct", "amqp:invalid-field")]
    public async Task Likewise_other_terminuses(Role role, string address, string condition)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await AssertRefusedAsync(client, role, address, condition);
    }

    [Theory]
    [InlineData(Role.Sender, "/queues/q")]
    [InlineData(Role.Sender, "/exchanges/amq.topic/k")]
    [InlineData(Role.Receiver, "/queues/q")]
    public async Task Terminus_without_permission_is_refused_with_a_detach(Role role, string address)
    {
        Permissions none = TestUsers.May("^$", "^$", "^$");
        await using var server = new TestServer([TestUsers.Create("guest", "guest", none)]);
        new Broker.Sessions.ClientSession(TestUsers.Create("root", ""), server.Host)
            .DeclareQueue("q", durable: false, exclusive: false, autoDelete: false, Broker.Messages.ArgumentTable.Empty);
        WireScript10 client = await server.Open10();
        await AssertRefusedAsync(client, role, address, "amqp:unauthorized-access");
    }

    [Theory, MemberData(nameof(WrongTerminuses))]
    public async Task Terminus_of_a_wrong_kind_is_refused_with_a_detach(string _, Role role, byte[]? terminus, string condition)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender(8);
        await client.Send(role == Role.Sender ? Links10.Sender(0, terminus!) : Links10.Receiver(0, terminus!));
        await client.Expect<WireAttach>();
        await client.ExpectDetach(condition);
        await client.Publish("x", 8);
    }

    public static TheoryData<string, Role, byte[]?, string> WrongTerminuses => new()
    {
        { "no source", Role.Receiver, null, "amqp:invalid-field" },
        { "a source without an address", Role.Receiver, Encoded10.Composite(new Source()), "amqp:invalid-field" },
        { "a target for a source", Role.Receiver, Encoded10.Target("/queues/q"), "amqp:invalid-field" },
        { "a source for a target", Role.Sender, Encoded10.Source("/queues/q"), "amqp:invalid-field" },
        { "a coordinator for a source", Role.Receiver, Encoded10.Composite(new Coordinator()), "amqp:invalid-field" },
        { "an address that is a number", Role.Sender, Encoded10.Composite(new Target { Address = Encoded10.ULong(7) }), "amqp:invalid-field" },
        { "an address that is binary", Role.Receiver, Encoded10.Composite(new Source { Address = Encoded10.Binary([1]) }), "amqp:invalid-field" },
        { "a number for a target", Role.Sender, Encoded10.ULong(7), "amqp:decode-error" },
        { "a target of too many fields", Role.Sender, Encoded10.Described(Target.Code, [0xC0, 9, 8, .. "@@@@@@@@"u8]), "amqp:decode-error" },
        { "a target that is a map", Role.Sender, Encoded10.Described(Target.Code, Encoded10.Map()), "amqp:decode-error" },
        { "a durability that there is not", Role.Sender, Encoded10.Described(Target.Code, [0xC0, 4, 2, 0x40, 0x52, 9]), "amqp:decode-error" },
    };

    [Fact]
    public async Task What_is_sent_to_a_refused_link_is_passed_over()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(new Frames10()
            .Add(Links10.Sender(0, "/queues/nowhere"))
            .Message(0, Message10.Of("early"))
            .Add(new Flow { Handle = 0, Echo = true })
            .Add(new Detach { Handle = 0, Closed = true }));
        await client.Expect<WireAttach>();
        (await client.Expect<WireDetach>()).Error!.Condition.ShouldBe("amqp:not-found");
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "110")]
    public async Task Receivers_learn_that_their_queue_is_deleted()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 1);
        await client.AttachReceiver(2);
        server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        var gone = new HashSet<uint>();
        for (int i = 0; i < 2; i++)
        {
            WireDetach detach = await client.Expect<WireDetach>();
            detach.Closed.ShouldBeTrue();
            detach.Error!.Condition.ShouldBe("amqp:resource-deleted");
            gone.Add(detach.Handle);
            await client.Send(new Detach { Handle = detach.Handle, Closed = true });
        }
        gone.ShouldBe([1u, 2u], ignoreOrder: true);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Detach_of_both_sides_at_once_is_the_end_of_it()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 0);
        server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        await client.Expect<WireDetach>();
        await client.Send(new Detach { Handle = 1, Closed = true });
        server.Declare("q");
        await client.AttachReceiver();
        await client.Detach(1);
    }

    [Theory, Trait("Note", "107")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_link_has_unsettled_goes_back_when_it_is_detached(bool closed)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync( 2);
        await client.Grant(2);
        await client.ExpectDelivery();
        await client.ExpectDelivery();
        await client.Detach(1, closed);
        server.Queue("q").ReadyCount.ShouldBe(2);
        server.Queue("q").ConsumerCount.ShouldBe(0);
        await client.Settle(1, States10.Accepted, last: 2); // in vain, and no error
        await client.ExpectQuiet();
        await client.AttachReceiver(2);
        await client.Grant(2, handle: 2);
        WireDelivery10 again = await client.ExpectDelivery(2);
        (again.Text, again.FirstAcquirer, again.DeliveryCount).ShouldBe(("0", false, 0u));
    }

    [Fact]
    public async Task Name_may_be_long_and_in_any_letters()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        string name = new('ü', 5000);
        await client.Send(Links10.Receiver(1, "/queues/q") with { Name = Encoding.UTF8.GetBytes(name) });
        (await client.Expect<WireAttach>()).Name.ShouldBe(name);
    }

    [Fact]
    public async Task Message_that_is_larger_than_the_receiver_takes_is_not_sent()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Send(Links10.Receiver(2, "/queues/q") with { MaxMessageSize = 1_000 });
        await client.Expect<WireAttach>();
        await client.Grant(10, 2);
        await client.Transfer(new string('x', 2_000), settled: true);
        await client.ExpectDetach("amqp:link:message-size-exceeded", 2); // 1.0 part 2, section 2.7.3: max-message-size
        (server.Queue("q").ReadyCount, server.Queue("q").UnackedCount).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Answers_fit_the_frames_that_the_client_takes()
    {
        await using var server = new TestServer();
        string name = new('q', 255);
        server.Declare(name);
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = 512 });
        await client.Send(Links10.Receiver(0, "/queues/" + name) with { Name = new byte[300].Select(_ => (byte)'n').ToArray() });
        await client.Receive(); // fails when the frame is larger
    }

    [Fact]
    public async Task Default_outcome_is_told()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        (await client.AttachReceiver()).DefaultOutcome.ShouldBe(new WireState("released")); // 1.0 part 3, section 3.5.3
    }

    private static async Task AssertRefusedAsync(WireScript10 client, Role role, string address, string condition)
    {
        bool isSender = role == Role.Sender;
        Task sent = client.Send(isSender ? Links10.Sender(0, address) : Links10.Receiver(0, address));
        await sent;
        WireAttach attach = await client.Expect<WireAttach>();
        (isSender ? attach.HasTarget : attach.HasSource).ShouldBeFalse(); // section 2.6.3
        await client.ExpectDetach(condition);
    }
}
