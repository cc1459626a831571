namespace Harrier.Amqp.Tests;

/// <summary>confirm.select and what publishers hear.</summary>
public class ConfirmTests
{
    [Fact, Trait("Note", "66")]
    public async Task Note_66_numbers_start_at_the_first_publication_after_the_select()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "before");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "first");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk); // resets nothing
        await client.Publish("", "q", "second");
        (await client.ExpectAck()).ShouldBe((2ul, false));
    }

    [Fact, Trait("Note", "66")]
    public async Task Note_66_numbers_are_per_channel()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.OpenChannel(2);
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk, 2);
        await client.Publish("", "none", "a");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Publish("", "none", "b", channel: 2);
        (await client.ExpectAck(2)).ShouldBe((1ul, false));
    }

    [Fact]
    public async Task Nowait_select_is_silent_and_works()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new ConfirmSelect { Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("", "none", "x");
        (await client.ExpectAck()).ShouldBe((1ul, false));
    }

    [Fact]
    public async Task Without_select_there_are_no_confirms()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "65")]
    public async Task Note_65_unroutable_message_is_confirmed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("amq.direct", "none", "x");
        (await client.ExpectAck()).ShouldBe((1ul, false));
    }

    [Fact, Trait("Note", "67")]
    public async Task Note_67_what_comes_together_is_confirmed_together_or_singly_but_each_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        var frames = new Frames();
        for (int i = 0; i < 1000; i++) frames.Publish("", i % 3 == 0 ? "none" : "q", "x");
        await client.Send(frames);
        var confirmed = new HashSet<ulong>();
        ulong upTo = 0;
        while (confirmed.Count < 1000)
        {
            (ulong tag, bool multiple) = await client.ExpectAck();
            for (ulong number = multiple ? upTo + 1 : tag; number <= tag; number++) confirmed.Add(number).ShouldBeTrue();
            upTo = tag;
        }
        confirmed.Max().ShouldBe(1000ul);
        await client.ExpectQuiet();
    }

    [Theory, Trait("Note", "68")]
    [InlineData(1, false, "classic")]
    [InlineData(2, false, "classic")]
    [InlineData(2, true, "classic")]
    [InlineData(2, true, "quorum")]
    public async Task Note_68_every_kind_of_message_and_queue_is_confirmed(byte deliveryMode, bool durable, string type)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: durable, arguments: Fields.Of(("x-queue-type", type)));
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("", "q", "x", new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, deliveryMode).Encode());
        (await client.ExpectAck()).ShouldBe((1ul, false));
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
    }

    [Fact, Trait("Note", "68")]
    public async Task Note_68_message_for_many_queues_is_confirmed_once()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        for (int i = 0; i < 40; i++)
        {
            await client.DeclareQueue($"q{i}");
            await client.Bind($"q{i}", "amq.fanout", "");
        }
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Publish("amq.fanout", "", "x");
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "70")]
    public async Task Note_70_publication_to_a_queue_that_is_deleted_at_once_is_acked()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new Frames()
            .Publish("", "q", "a").Publish("", "q", "b").Method(new QueueDelete { Queue = "q"u8, Nowait = true }).Publish("", "q", "c"));
        ulong confirmed = 0;
        while (confirmed < 3) confirmed = (await client.ExpectAck()).Tag;
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Confirms_owed_come_before_close_ok()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new Frames().Publish("", "q", "a").Method(new ChannelClose { ReplyCode = 200 }));
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Expect(AmqpMethod.ChannelCloseOk);
    }

    [Fact]
    public async Task Confirms_owed_come_before_the_connections_close_ok()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new Frames().Publish("", "q", "a").Method(new ConnectionClose { ReplyCode = 200 }, 0));
        (await client.ExpectAck()).ShouldBe((1ul, false));
        await client.Expect(AmqpMethod.ConnectionCloseOk, 0);
    }

    [Fact]
    public async Task Message_that_is_not_complete_is_neither_queued_nor_confirmed_when_the_channel_closes()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new Frames().Method(new BasicPublish { RoutingKey = "q"u8 }).Header(10).Body([1, 2, 3]));
        await client.OpenChannel(2);
        (await client.InspectQueue("q", 2)).MessageCount.ShouldBe(0u);
        client.Leave();
        await client.Served.WaitAsync(TestServer.SafetyNet);
        WireScript other = await server.Open();
        (await other.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }
}
