namespace Harrier.Amqp.Tests;

/// <summary>basic.qos, basic.consume, basic.cancel, basic.get, basic.deliver.</summary>
public class ConsumingTests
{
    [Fact]
    public async Task Delivery_says_where_it_comes_from()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Bind("q", "amq.direct", "k");
        await client.Consume("q", "tag");
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.MessageId, "1").Encode();
        await client.Publish("amq.direct", "k", "x", properties);
        WireContent delivery = await client.ExpectDelivery();
        (delivery.ConsumerTag, delivery.DeliveryTag, delivery.Redelivered, delivery.Exchange, delivery.RoutingKey, delivery.Text)
            .ShouldBe(("tag", 1ul, false, "amq.direct", "k", "x"));
        delivery.Properties.ShouldBe(properties);
    }

    [Fact, Trait("Note", "30")]
    public async Task Note_30_server_names_consumers_too()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        WireFrame ok = await client.Call(new BasicConsume { Queue = "q"u8 }, AmqpMethod.BasicConsumeOk);
        TagOf(ok).ShouldMatch("^amq\\.ctag-[A-Za-z0-9_-]{22}$");
    }

    [Fact]
    public async Task Nowait_consume_and_cancel_are_silent_and_work()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8, NoAck = true, Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("", "q", "a");
        (await client.ExpectDelivery()).Text.ShouldBe("a");
        await client.Send(new BasicCancel { ConsumerTag = "c"u8, Nowait = true });
        await client.ExpectQuiet();
        await client.Publish("", "q", "b");
        (await client.Drain("q")).ShouldBe(["b"]);
    }

    [Fact, Trait("Note", "77")]
    public async Task Note_77_prefetch_applies_to_consumers_that_come_after_it_each_on_its_own()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        foreach (string queue in (string[])["a", "b", "c"])
        {
            await client.DeclareQueue(queue);
            for (int i = 0; i < 5; i++) await client.Publish("", queue, $"{queue}{i}");
        }
        await client.Qos(1);
        await client.Consume("a", "a");
        (await client.ExpectDelivery()).Text.ShouldBe("a0");
        await client.Qos(2);
        await client.ExpectQuiet(); // the first keeps its own
        await client.Consume("b", "b");
        (await client.ExpectDelivery()).Text.ShouldBe("b0");
        (await client.ExpectDelivery()).Text.ShouldBe("b1");
        await client.ExpectQuiet();
        await client.Qos(0);
        await client.Consume("c", "c");
        for (int i = 0; i < 5; i++) (await client.ExpectDelivery()).Text.ShouldBe($"c{i}");
        await client.Send(new BasicAck { DeliveryTag = 1 });
        (await client.ExpectDelivery()).Text.ShouldBe("a1");
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "77")]
    public async Task Note_77_global_prefetch_is_per_consumer_too()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 4; i++) await client.Publish("", "q", $"{i}");
        await client.Call(new BasicQos { PrefetchCount = 1, Global = true }, AmqpMethod.BasicQosOk);
        await client.Consume("q", "a");
        (await client.ExpectDelivery()).Text.ShouldBe("0");
        await client.Consume("q", "b");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("b");
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "77")]
    public async Task Note_77_prefetch_size_is_not_implemented()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new BasicQos { PrefetchSize = 1024 });
        await client.ExpectConnectionClose(540, "NOT_IMPLEMENTED - prefetch_size!=0 (1024)", 60, 10);
    }

    [Fact]
    public async Task Prefetch_does_not_limit_consumers_without_acknowledgements()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(1);
        await client.Consume("q", "c", noAck: true);
        for (int i = 0; i < 5; i++) await client.Publish("", "q", $"{i}");
        for (int i = 0; i < 5; i++) (await client.ExpectDelivery()).Text.ShouldBe($"{i}");
    }

    [Fact, Trait("Note", "78")]
    public async Task Note_78_get_ignores_prefetch_and_shares_the_tags()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 4; i++) await client.Publish("", "q", $"{i}");
        await client.Qos(1);
        await client.Consume("q", "c");
        (await client.ExpectDelivery()).DeliveryTag.ShouldBe(1ul);
        WireContent got = await client.Get("q", noAck: false);
        (got.DeliveryTag, got.Text, got.MessageCount, got.Redelivered).ShouldBe((2ul, "1", 2u, false));
        (await client.Get("q", noAck: true)).DeliveryTag.ShouldBe(3ul);
        (await client.Get("q", noAck: false)).MessageCount.ShouldBe(0u);
        await client.GetNothing("q");
        await client.Send(new BasicAck { DeliveryTag = 0, Multiple = true });
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Get_from_a_missing_queue()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new BasicGet { Queue = "none"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'none' in vhost '/'", 60, 70);
        await client.Send(new BasicConsume { Queue = "none"u8 });
        await client.ExpectChannelClose(404, "NOT_FOUND - no queue 'none' in vhost '/'", 60, 20);
    }

    [Fact, Trait("Note", "79")]
    public async Task Note_79_consume_ok_comes_before_the_first_delivery()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        for (int i = 0; i < 3; i++) await client.Publish("", "q", "x");
        await client.Send(new Frames()
            .Method(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8 }).Publish("", "q", "y").Method(new ChannelFlow { Active = true }));
        await client.Expect(AmqpMethod.BasicConsumeOk);
        int deliveries = 0;
        for (int i = 0; i < 5; i++)
        {
            WireFrame frame = await client.Receive() ?? throw new WireScriptException("ended");
            if (frame.Method == AmqpMethod.ChannelFlowOk) continue;
            frame.Method.ShouldBe(AmqpMethod.BasicDeliver);
            deliveries++;
            await client.Expect(FrameType.Header, 1);
            await client.Expect(FrameType.Body, 1);
        }
        deliveries.ShouldBe(4);
    }

    [Fact, Trait("Note", "80")]
    public async Task Note_80_consumer_tag_in_use_ends_the_connection()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Consume("q", "c");
        await client.Send(new BasicConsume { Queue = "q"u8, ConsumerTag = "c"u8 });
        await client.ExpectConnectionClose(530, "NOT_ALLOWED - attempt to reuse consumer tag 'c'", 60, 20);
    }

    [Fact, Trait("Note", "80")]
    public async Task Note_80_tags_are_per_channel_and_free_after_the_cancellation()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.OpenChannel(2);
        await client.DeclareQueue("q");
        await client.Consume("q", "c");
        await client.Consume("q", "c", channel: 2);
        await client.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
        await client.Consume("q", "c");
    }

    [Fact, Trait("Note", "80")]
    public async Task Note_80_tag_is_free_after_its_queue_was_deleted()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.DeclareQueue("other");
        await client.Consume("q", "c");
        await client.Send(new QueueDelete { Queue = "q"u8 });
        await client.Expect(AmqpMethod.BasicCancel);
        await client.Expect(AmqpMethod.QueueDeleteOk);
        await client.Consume("other", "c");
        await client.Publish("", "other", "x");
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("c");
    }

    [Theory, Trait("Note", "81")]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Note_81_exclusive_consumer_is_alone(bool first, bool second)
    {
        await using var server = new TestServer();
        WireScript one = await server.Open();
        WireScript other = await server.Open();
        await one.DeclareQueue("q");
        await one.Consume("q", "c", exclusive: first);
        await other.Send(new BasicConsume { Queue = "q"u8, Exclusive = second });
        await other.ExpectChannelClose(403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use", 60, 20);
        await one.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
        await other.Consume("q", "c", exclusive: second);
    }

    [Fact, Trait("Note", "81")]
    public async Task Note_81_quorum_queues_ignore_the_flag()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        await client.Consume("q", "a", exclusive: true);
        await client.Consume("q", "b", exclusive: true);
    }

    [Fact, Trait("Note", "82")]
    public async Task Note_82_cancel_of_an_unknown_tag_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireFrame ok = await client.Call(new BasicCancel { ConsumerTag = "none"u8 }, AmqpMethod.BasicCancelOk);
        TagOf(ok).ShouldBe("none");
    }

    [Fact, Trait("Note", "82")]
    public async Task Note_82_after_cancel_ok_nothing_comes_and_what_is_unacked_stays_valid()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript publisher = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(1);
        await client.Consume("q", "c");
        await publisher.Publish("", "q", "a");
        await publisher.Publish("", "q", "b");
        await publisher.ExpectQuiet();
        await client.ExpectDelivery();
        await client.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectQuiet();
        (await client.Drain("q")).ShouldBe(["b"]);
    }

    [Fact, Trait("Note", "83")]
    public async Task Note_83_deleted_queue_cancels_its_consumers()
    {
        await using var server = new TestServer();
        WireScript consumer = await server.Open();
        WireScript other = await server.Open();
        await consumer.DeclareQueue("q");
        await consumer.Consume("q", "c");
        await other.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        WireFrame cancel = await consumer.Expect(AmqpMethod.BasicCancel);
        CancelOf(cancel).ShouldBe(("c", true));
        await consumer.Send(new BasicCancelOk { ConsumerTag = "c"u8 }); // need not, but some do
        await consumer.ExpectQuiet();
    }

    [Fact, Trait("Note", "83")]
    public async Task Note_83_client_without_the_capability_is_not_told()
    {
        await using var server = new TestServer();
        WireScript consumer = await server.Open(new OpenOptions { Capabilities = [] });
        await consumer.DeclareQueue("q");
        await consumer.Consume("q", "c");
        await consumer.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await consumer.ExpectQuiet();
        await consumer.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
    }

    [Fact, Trait("Note", "83")]
    public async Task Note_83_own_cancellation_is_not_notified()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q", autoDelete: true);
        await client.Consume("q", "c");
        await client.Call(new BasicCancel { ConsumerTag = "c"u8 }, AmqpMethod.BasicCancelOk);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Ack_for_a_queue_that_was_deleted_is_fine()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        await client.Get("q", noAck: false);
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectQuiet();
    }

    [Fact, Trait("Note", "93")]
    public async Task Note_93_higher_priority_gets_everything_while_it_has_credit()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(2);
        await client.Consume("q", "default");
        await client.Consume("q", "low", arguments: Fields.Of(("x-priority", -5)));
        await client.Consume("q", "high", arguments: Fields.Of(("x-priority", 10L)));
        for (int i = 0; i < 6; i++) await client.Publish("", "q", "x");
        var tags = new List<string>();
        for (int i = 0; i < 6; i++) tags.Add((await client.ExpectDelivery()).ConsumerTag);
        tags.ShouldBe(["high", "high", "default", "default", "low", "low"]);
        await client.Publish("", "q", "y");
        await client.ExpectQuiet();
        await client.Send(new BasicAck { DeliveryTag = 1 });
        (await client.ExpectDelivery()).ConsumerTag.ShouldBe("high");
    }

    [Fact, Trait("Note", "93")]
    public async Task Note_93_equal_priorities_take_turns()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        foreach (string tag in (string[])["a", "b", "c"]) await client.Consume("q", tag);
        for (int i = 0; i < 6; i++) await client.Publish("", "q", "x");
        var tags = new List<string>();
        for (int i = 0; i < 6; i++) tags.Add((await client.ExpectDelivery()).ConsumerTag);
        tags.ShouldBe(["a", "b", "c", "a", "b", "c"]);
    }

    [Fact, Trait("Note", "93")]
    public async Task Note_93_priority_must_be_a_number()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new BasicConsume { Queue = "q"u8, Arguments = Fields.Of(("x-priority", "high")) });
        (await client.Expect(AmqpMethod.ChannelClose)).ToString().ShouldContain("406 PRECONDITION_FAILED - ");
    }

    [Fact]
    public async Task No_local_is_ignored()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new BasicConsume { Queue = "q"u8, NoLocal = true }, AmqpMethod.BasicConsumeOk);
        await client.Publish("", "q", "x");
        (await client.ExpectDelivery()).Text.ShouldBe("x");
    }

    [Fact]
    public async Task Messages_come_in_the_order_in_which_they_were_published()
    {
        await using var server = new TestServer();
        WireScript publisher = await server.Open();
        WireScript consumer = await server.Open();
        await consumer.DeclareQueue("q");
        await consumer.Qos(7);
        await consumer.Consume("q", "c");
        var frames = new Frames();
        for (int i = 0; i < 2000; i++) frames.Publish("", "q", $"{i}");
        await publisher.Send(frames);
        for (int i = 0; i < 2000; i++)
        {
            WireContent delivery = await consumer.ExpectDelivery();
            (delivery.Text, delivery.DeliveryTag).ShouldBe(($"{i}", (ulong)i + 1));
            await consumer.Send(new BasicAck { DeliveryTag = delivery.DeliveryTag });
        }
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_a_consumer_timeout_must_not_be_negative()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Send(new BasicConsume { Queue = "q"u8, Arguments = Fields.Of(("x-consumer-timeout", -1)) });
        await client.ExpectChannelClose(
            406, "PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': {value_negative,-1}", 60, 20);
    }

    [Fact, Trait("Note", "95")]
    public async Task Note_95_classic_queues_have_no_consumer_timeout()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "x");
        await client.Consume("q", "c");
        await client.ExpectDelivery();
        server.Clock.Advance(TimeSpan.FromHours(2));
        await client.ExpectQuiet();
    }

    private static string TagOf(WireFrame ok) => System.Text.Encoding.UTF8.GetString(BasicConsumeOk.Decode(ok.Arguments).ConsumerTag);

    private static (string, bool) CancelOf(WireFrame frame)
    {
        BasicCancel cancel = BasicCancel.Decode(frame.Arguments);
        return (System.Text.Encoding.UTF8.GetString(cancel.ConsumerTag), cancel.Nowait);
    }
}
