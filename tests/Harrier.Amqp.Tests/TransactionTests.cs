namespace Harrier.Amqp.Tests;

/// <summary>tx.select, tx.commit, tx.rollback.</summary>
public class TransactionTests
{
    [Fact, Trait("Note", "71")]
    public async Task Note_71_confirm_and_tx_exclude_each_other()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await client.Send(new TxSelect());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - cannot switch from confirm to tx mode", 90, 10);
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Send(new ConfirmSelect());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - cannot switch from tx to confirm mode", 85, 10);
    }

    [Fact, Trait("Note", "71")]
    public async Task Note_71_commit_and_rollback_need_a_select()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Send(new TxCommit());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - channel is not transactional", 90, 20);
        await client.Send(new TxRollback());
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - channel is not transactional", 90, 30);
    }

    [Fact]
    public async Task Publications_are_seen_when_they_are_committed()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("a");
        await client.DeclareQueue("b");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk); // again is fine
        await client.Publish("", "a", "1");
        await client.Publish("", "b", "2");
        (await client.InspectQueue("a")).MessageCount.ShouldBe(0u);
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        (await client.InspectQueue("a")).MessageCount.ShouldBe(1u);
        (await client.InspectQueue("b")).MessageCount.ShouldBe(1u);
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk); // nothing twice
        (await client.InspectQueue("a")).MessageCount.ShouldBe(1u);
    }

    [Fact]
    public async Task Publications_are_gone_when_they_are_rolled_back()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("", "q", "gone");
        await client.Call(new TxRollback(), AmqpMethod.TxRollbackOk);
        await client.Publish("", "q", "kept");
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        (await client.Drain("q")).ShouldBe(["kept"]);
    }

    [Fact, Trait("Note", "72")]
    public async Task Note_72_return_comes_with_the_commit()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("", "none", "x", mandatory: true);
        await client.ExpectQuiet();
        await client.Send(new TxCommit());
        (await client.ExpectReturn()).Text.ShouldBe("x");
        await client.Expect(AmqpMethod.TxCommitOk);
    }

    [Fact, Trait("Note", "72")]
    public async Task Note_72_nothing_is_returned_after_a_rollback()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("", "none", "x", mandatory: true);
        await client.Call(new TxRollback(), AmqpMethod.TxRollbackOk);
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
    }

    [Fact, Trait("Note", "72")]
    public async Task Note_72_messages_are_routed_when_they_are_published()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("amq.direct", "k", "before the binding");
        await client.Bind("q", "amq.direct", "k");
        await client.Publish("amq.direct", "k", "after it");
        await client.Call(new QueueUnbind { Queue = "q"u8, Exchange = "amq.direct"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueUnbindOk);
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        (await client.Drain("q")).ShouldBe(["after it"]);
    }

    [Fact, Trait("Note", "72")]
    public async Task Note_72_missing_exchange_closes_the_channel_when_it_is_published_to()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("", "q", "lost with the channel");
        await client.Publish("none", "k", "x");
        await client.ExpectChannelClose(404, "NOT_FOUND - no exchange 'none' in vhost '/'", 60, 40);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Fact]
    public async Task Acknowledgements_wait_for_the_commit()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Publish("", "q", "b");
        await client.Qos(1);
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Consume("q", "c");
        (await client.ExpectDelivery()).Text.ShouldBe("a");
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectQuiet(); // no credit yet
        await client.Send(new TxCommit());
        // Which of the two comes first is the server's choice.
        WireFrame first = await client.Receive() ?? throw new WireScriptException("ended");
        if (first.Method == AmqpMethod.TxCommitOk) (await client.ExpectDelivery()).Text.ShouldBe("b");
        else first.Method.ShouldBe(AmqpMethod.BasicDeliver);
    }

    [Fact, Trait("Note", "73")]
    public async Task Note_73_rollback_makes_acknowledgements_unmade()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        foreach (string text in (string[])["a", "b", "c"]) await client.Publish("", "q", text);
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        for (int i = 0; i < 3; i++) await client.Get("q", noAck: false);
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.Send(new BasicNack { DeliveryTag = 1, Requeue = true });
        await client.Call(new TxRollback(), AmqpMethod.TxRollbackOk);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u); // not requeued
        await client.Send(new BasicAck { DeliveryTag = 3, Multiple = true }); // may be made again
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        await client.Send(new BasicAck { DeliveryTag = 2 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 2", 60, 80);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(0u);
    }

    [Fact, Trait("Note", "73")]
    public async Task Note_73_closing_the_channel_discards()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Get("q", noAck: false);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.Publish("", "q", "b");
        await client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        await client.OpenChannel(1);
        (await client.Drain("q")).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Double_acknowledgement_in_one_transaction_is_unknown()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Get("q", noAck: false);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - unknown delivery tag 1", 60, 80);
        (await client.InspectQueue("q")).MessageCount.ShouldBe(1u);
    }

    [Fact]
    public async Task Commit_to_a_queue_that_was_deleted_meanwhile()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Get("q", noAck: false);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.Publish("", "q", "b");
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Rollback_after_the_queue_was_deleted()
    {
        await using var server = new TestServer();
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Publish("", "q", "a");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Get("q", noAck: false);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.Call(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await client.Call(new TxRollback(), AmqpMethod.TxRollbackOk);
        await client.Send(new BasicAck { DeliveryTag = 1 });
        await client.Call(new TxCommit(), AmqpMethod.TxCommitOk);
    }

    [Fact, Trait("Note", "72"), Trait("Note", "97")]
    public async Task Note_72_direct_reply_waits_for_the_commit_too()
    {
        await using var server = new TestServer();
        WireScript requester = await server.Open();
        WireScript replier = await server.Open();
        await requester.DeclareQueue("requests");
        await requester.Consume("amq.rabbitmq.reply-to", "replies", noAck: true);
        await requester.Publish("", "requests", "?", new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, "amq.rabbitmq.reply-to").Encode());
        string replyTo = DirectReplyTests.ReplyToOf(await replier.Get("requests"));
        await replier.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await replier.Publish("", replyTo, "rolled back");
        await replier.Call(new TxRollback(), AmqpMethod.TxRollbackOk);
        await requester.ExpectQuiet();
        await replier.Publish("", replyTo, "committed");
        await requester.ExpectQuiet();
        await replier.Call(new TxCommit(), AmqpMethod.TxCommitOk);
        (await requester.ExpectDelivery()).Text.ShouldBe("committed");
    }
}
