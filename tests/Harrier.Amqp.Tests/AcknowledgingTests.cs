namespace Harrier.Amqp.Tests;

/// <summary>basic.ack, basic.nack, basic.reject, basic.recover: what counts, and in which order messages come back.</summary>
public class AcknowledgingTests
{
    [Fact, Trait("Note", "84")]
    public async Task Note_84_zero_and_multiple_is_everything_even_when_that_is_nothing()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new BasicAck { DeliveryTag = 0, Multiple = true });
        await client.ExpectQuiet();
        await Deliver(client, 3);
        await client.Send(new BasicAck { DeliveryTag = 0, Multiple = true });
        await client.Send(new BasicAck { DeliveryTag = 0, Multiple = true });
        await client.ExpectQuiet();
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 2", 60, 80);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Theory, Trait("Note", "84")]
    [InlineData(AmqpMethod.BasicAck)]
    [InlineData(AmqpMethod.BasicNack)]
    [InlineData(AmqpMethod.BasicReject)]
    public async Task Note_84_zero_alone_is_unknown(AmqpMethod method)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 2);
        await Settle(client, method, 0);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 0", 60, (int)method & 0xFFFF);
    }

    [Fact, Trait("Note", "84")]
    public async Task Note_84_multiple_needs_its_own_tag_to_be_outstanding()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 5);
        await client.Send(new BasicAck { DeliveryTag = 3 });
        await client.Send(new BasicAck { DeliveryTag = 3, Multiple = true });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 3", 60, 80);
        (await client.Drain("q")).ShouldBe(["0", "1", "3", "4"]);
    }

    [Fact]
    public async Task Multiple_takes_everything_up_to_the_tag()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 5);
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.Send(new BasicAck { DeliveryTag = 4, Multiple = true });
        await client.Send(new BasicNack { DeliveryTag = 0, Multiple = true, Requeue = true });
        (await client.Drain("q")).ShouldBe(["4"]);
    }

    [Theory, Trait("Note", "85")]
    [InlineData(AmqpMethod.BasicAck)]
    [InlineData(AmqpMethod.BasicNack)]
    [InlineData(AmqpMethod.BasicReject)]
    public async Task Note_85_settling_twice_is_unknown(AmqpMethod method)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 3);
        await Settle(client, method, 2);
        await client.ExpectQuiet();
        await Settle(client, method, 2);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 2", 60, (int)method & 0xFFFF);
    }

    [Fact, Trait("Note", "85")]
    public async Task Note_85_delivery_without_acknowledgement_cannot_be_acknowledged()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Consume("q", "c", noAck: true);
        await client.Publish("", "q", "x");
        (await client.ExpectDelivery()).DeliveryTag.ShouldBe(1ul);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 1", 60, 80);
    }

    [Theory, Trait("Note", "85")]
    [InlineData(4ul)]
    [InlineData(ulong.MaxValue)]
    public async Task Note_85_tag_that_was_never_given_is_unknown(ulong tag)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 3);
        await client.Send(new BasicAck { DeliveryTag = tag });
        await client.ExpectChannelClose(406, $"PRECONDITION_FAILED - unknown delivery tag {tag}", 60, 80);
    }

    [Fact, Trait("Note", "85")]
    public async Task Note_85_tags_of_another_channel_are_unknown()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 1);
        await client.OpenChannel(2);
        await client.Send(new BasicAck { DeliveryTag = 1 }, 2);
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 1", 60, 80, 2);
    }

    [Fact, Trait("Note", "86")]
    public async Task Note_86_redelivered_is_set_by_whoever_had_the_message_before()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("q");
        await first.Publish("", "q", "a");
        await first.Publish("", "q", "b");
        (await first.Get("q", noAck: false)).Redelivered.ShouldBeFalse();
        await first.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        await first.ExpectQuiet();
        WireContent a = await second.Get("q"), b = await second.Get("q");
        (a.Text, a.Redelivered).ShouldBe(("a", true));
        (b.Text, b.Redelivered).ShouldBe(("b", false));
    }

    [Fact, Trait("Note", "86")]
    public async Task Note_86_redelivered_stays_set()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Consume("q", "c");
        (await client.ExpectDelivery()).Redelivered.ShouldBeFalse();
        for (ulong tag = 1; tag < 4; tag++)
        {
            await client.Send(new BasicNack { DeliveryTag = tag, Requeue = true });
            WireContent again = await client.ExpectDelivery();
            (again.Redelivered, again.DeliveryTag).ShouldBe((true, tag + 1));
        }
    }

    [Fact, Trait("Note", "87")]
    public async Task Note_87_requeued_messages_take_their_old_places()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 4);
        await client.Publish("", "q", "new");
        await client.Send(new BasicNack { DeliveryTag = 3, Requeue = true });
        await client.Send(new BasicNack { DeliveryTag = 1, Requeue = true });
        await client.Send(new BasicReject { DeliveryTag = 2, Requeue = true });
        (await client.Drain("q")).ShouldBe(["0", "1", "2", "new"]);
    }

    [Fact, Trait("Note", "87"), Trait("Note", "88")]
    public async Task Note_87_quorum_queue_serves_returned_messages_first()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("qq", durable: true, arguments: Fields.Of(("x-queue-type", "quorum")));
        for (int i = 0; i < 3; i++) await client.Publish("", "qq", $"{i}");
        await client.Get("qq", noAck: false);
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        WireContent again = await client.Get("qq");
        (again.Text, again.Redelivered).ShouldBe(("0", true));
    }

    [Theory, Trait("Note", "89")]
    [InlineData(AmqpMethod.BasicNack)]
    [InlineData(AmqpMethod.BasicReject)]
    public async Task Note_89_refused_message_is_gone(AmqpMethod method)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 2);
        await Settle(client, method, 1);
        await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        await client.OpenChannel(1);
        (await client.Drain("q")).ShouldBe(["1"]);
    }

    [Fact, Trait("Note", "90")]
    public async Task Note_90_recover_requeues_everything()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 3);
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.Call(new BasicRecover { Requeue = true }, AmqpMethod.BasicRecoverOk);
        WireContent first = await client.Get("q"), second = await client.Get("q");
        (first.Text, first.Redelivered, second.Text).ShouldBe(("0", true, "2"));
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 1", 60, 80);
    }

    [Fact, Trait("Note", "90")]
    public async Task Note_90_recover_async_has_no_reply()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 2);
        await client.Send(new BasicRecoverAsync { Requeue = true });
        await client.ExpectQuiet();
        (await client.Drain("q")).ShouldBe(["0", "1"]);
    }

    [Theory, Trait("Note", "90")]
    [InlineData(AmqpMethod.BasicRecover)]
    [InlineData(AmqpMethod.BasicRecoverAsync)]
    public async Task Note_90_recover_without_requeue_is_not_implemented(AmqpMethod method)
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await (method == AmqpMethod.BasicRecover ? client.Send(new BasicRecover()) : client.Send(new BasicRecoverAsync()));
        await client.ExpectConnectionClose(540, "NOT_IMPLEMENTED - requeue=false", 60, (int)method & 0xFFFF);
    }

    [Fact, Trait("Note", "92")]
    public async Task Note_92_closed_channel_gives_everything_back_in_front_and_redelivered()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        WireScript other = await server.Open();
        await Deliver(client, 3);
        await client.Publish("", "q", "newer");
        await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        for (int i = 0; i < 3; i++)
        {
            WireContent again = await other.Get("q");
            (again.Text, again.Redelivered).ShouldBe(($"{i}", true));
        }
        WireContent newer = await other.Get("q");
        (newer.Text, newer.Redelivered).ShouldBe(("newer", false));
    }

    [Fact, Trait("Note", "92")]
    public async Task Note_92_so_does_a_channel_error()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await Deliver(client, 2);
        await client.Send(new BasicAck { DeliveryTag = 99 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 99", 60, 80);
        (await client.Drain("q")).ShouldBe(["0", "1"]);
    }

    [Fact, Trait("Note", "92")]
    public async Task Note_92_what_comes_back_goes_to_other_consumers_at_once()
    {
        await using var server = new TestServer();
        WireScript first = await server.Open();
        WireScript second = await server.Open();
        await first.DeclareQueue("q");
        await first.Consume("q", "one");
        await first.Publish("", "q", "x");
        await first.ExpectDelivery();
        await second.Consume("q", "two");
        first.Leave();
        WireContent again = await second.ExpectDelivery();
        (again.Text, again.Redelivered, again.DeliveryTag).ShouldBe(("x", true, 1ul));
    }

    [Fact]
    public async Task Old_deliveries_may_wait_while_many_pass_them()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Qos(2);
        await client.Consume("q", "c");
        await client.Publish("", "q", "old");
        await client.ExpectDelivery();
        for (ulong tag = 2; tag < 500; tag++)
        {
            await client.Publish("", "q", "x");
            (await client.ExpectDelivery()).DeliveryTag.ShouldBe(tag);
            await client.Send(new BasicAck { DeliveryTag = tag });
        }
        await client.Send(new BasicReject { DeliveryTag = 1, Requeue = true });
        (await client.ExpectDelivery()).Text.ShouldBe("old");
    }

    // Publishes 0, 1, 2... and gets them, unacked, under the tags 1, 2, 3...
    private static async Task Deliver(WireScript client, int count)
    {
        await client.DeclareQueue("q");
        for (int i = 0; i < count; i++)
        {
            await client.Publish("", "q", $"{i}");
            await client.Get("q", noAck: false);
        }
    }

    private static Task Settle(WireScript client, AmqpMethod method, ulong tag) => method switch
    {
        AmqpMethod.BasicAck => client.Send(new BasicAck { DeliveryTag = tag }),
        AmqpMethod.BasicNack => client.Send(new BasicNack { DeliveryTag = tag }),
        _ => client.Send(new BasicReject { DeliveryTag = tag }),
    };
}
