using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What clients of 1.0 hear, and when, of a broker with a data directory: nothing that promises something before the log has it.</summary>
public sealed class PersistenceTests : IAsyncLifetime
{
    private static readonly byte[] Durable = new Message10().Header(new MessageHeader { Durable = true }).Data("durable").Bytes;

    private SimDisk _disk = new(1);
    private TestStorage _storage = null!;
    private TestServer _server = null!;
    private WireScript10 _client = null!;

    public async Task InitializeAsync()
    {
        await Start();
        _server.Session().DeclareQueue("q", durable: true, exclusive: false, autoDelete: false, Broker.Messages.ArgumentTable.Empty);
        _server.Declare("memory");
        _storage.Commit();
        await _client.AttachSender();
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _storage.Dispose();
    }

    [Fact]
    public async Task Durable_message_is_accepted_when_the_log_has_it()
    {
        await _client.Transfer(Durable);
        await _client.Transfer(Durable);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", 0, 1);
    }

    [Fact]
    public async Task What_is_not_to_survive_is_accepted_at_once()
    {
        await _client.AttachSender(2, "/queues/memory");
        await _client.Publish("not durable");
        await _client.ExpectDisposition("accepted", await _client.Transfer(Durable, handle: 2));
    }

    [Fact]
    public async Task Answers_keep_their_order_and_do_not_cover_each_other()
    {
        await _client.AttachSender(2, "/exchanges/amq.direct/nowhere");
        await _client.Transfer(Durable);
        await _client.Transfer("unroutable", handle: 2);
        await _client.Transfer("not durable");
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", 0);
        await _client.ExpectDisposition("released", 1);
        await _client.ExpectDisposition("accepted", 2);
    }

    [Fact]
    public async Task Two_sessions_are_answered_each_for_itself()
    {
        await _client.Begin(2);
        await _client.AttachSender(channel: 2);
        await _client.Transfer(Durable);
        await _client.Transfer(Durable, channel: 2);
        await _client.Transfer(Durable);
        await _client.ExpectQuiet();
        _storage.Commit();
        var answers = new List<(ushort Channel, uint First, uint Last)>();
        uint answered = 0;
        while (answered < 3)
        {
            WireFrame10? frame = await _client.Receive();
            var disposition = frame!.Performative.ShouldBeOfType<WireDisposition>();
            uint last = disposition.Last ?? disposition.First;
            answered += last - disposition.First + 1;
            answers.Add((frame.Channel, disposition.First, last));
        }
        answers.Where(a => a.Channel == 2).ShouldBe([((ushort)2, 0u, 0u)]);
        answers.Where(a => a.Channel == 1).Sum(a => a.Last - a.First + 1).ShouldBe(2);
    }

    [Fact]
    public async Task Session_that_has_ended_gets_no_late_answer()
    {
        await _client.Transfer(Durable);
        await _client.EndSession();
        await _client.Begin();
        _storage.Commit();
        await _client.ExpectQuiet();
    }

    [Fact]
    public async Task Link_that_is_detached_gets_its_answers_still()
    {
        await _client.Transfer(Durable);
        await _client.Detach(0);
        _storage.Commit();
        await _client.ExpectDisposition("accepted", 0);
    }

    [Fact]
    public async Task Connection_may_be_gone_when_the_log_has_it()
    {
        await _client.Transfer(Durable);
        _client.Leave();
        await _client.Served.WaitAsync(TestServer.SafetyNet);
        _storage.Commit();
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Receiver_that_settles_second_is_told_when_the_log_has_it()
    {
        await PublishDurable();
        await _client.AttachReceiver(1, receiveMode: ReceiverSettleMode.Second);
        await _client.Grant(1);
        uint id = (await _client.ExpectDelivery()).DeliveryId;
        await _client.Settle(id, States10.Accepted, settled: false);
        await _client.ExpectQuiet();
        _storage.Commit();
        (await _client.Expect<WireDisposition>()).ShouldBe(new WireDisposition(Role.Sender, id, null, true, new WireState("accepted")));
    }

    [Fact]
    public async Task Transaction_is_discharged_when_the_log_has_it()
    {
        await _client.AttachCoordinator();
        string id = await _client.Declare();
        await _client.ExpectDisposition("transactional-state", await _client.Transfer(Durable, state: States10.In(id)));
        uint discharge = _client.NextDeliveryId();
        byte[] request = new Message10().Value(Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(id)) })).Bytes;
        await _client.Send(new Frames10().Message(discharge, request, handle: 9));
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", discharge);
    }

    [Fact]
    public async Task Accepted_messages_are_there_after_a_crash_as_they_came()
    {
        byte[] rich = new Message10()
            .Header(new MessageHeader { Durable = true, Priority = 7 })
            .MessageAnnotations(("x-opt-a", Encoded10.String("b")))
            .Properties(new MessageProperties { MessageId = Encoded10.ULong(7), Subject = "s"u8 })
            .ApplicationProperties(("k", [0x40]))
            .Value(Encoded10.Nested(3))
            .Footer(("f", [0x41]))
            .Bytes;
        await _client.Transfer(rich);
        await _client.Transfer("not durable");
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", 0, 1);
        await Restart();
        await _client.AttachReceiver();
        await _client.Grant(10);
        WireDelivery10 delivery = await _client.ExpectDelivery();
        (delivery.Durable, delivery.Priority, delivery.Annotations["x-opt-a"]).ShouldBe((true, (byte)7, "b"));
        delivery.Bare.ShouldBe(new WireDelivery10(0, 0, [], true, rich, []).Read().Bare);
        await _client.ExpectQuiet();
    }

    [Fact]
    public async Task Unsettled_and_failed_messages_are_there_after_a_crash()
    {
        await PublishDurable();
        await _client.AttachReceiver();
        await _client.Grant(1);
        await _client.Settle((await _client.ExpectDelivery()).DeliveryId, States10.Modified(deliveryFailed: true));
        await _client.Grant(1);
        (await _client.ExpectDelivery()).DeliveryCount.ShouldBe(1u);
        await _client.ExpectQuiet();
        _storage.Commit();
        await Restart();
        await _client.AttachReceiver();
        await _client.Grant(1);
        (await _client.ExpectDelivery()).FirstAcquirer.ShouldBe(false);
    }

    [Fact]
    public async Task Transaction_that_was_not_discharged_is_not_there_after_a_crash()
    {
        await PublishDurable();
        await _client.AttachReceiver();
        await _client.Grant(1);
        uint delivery = (await _client.ExpectDelivery()).DeliveryId;
        await _client.AttachCoordinator();
        string id = await _client.Declare();
        await _client.Settle(delivery, States10.In(id, States10.Accepted));
        await _client.ExpectDisposition("transactional-state", await _client.Transfer(Durable, state: States10.In(id)));
        _storage.Commit();
        await Restart();
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    private async Task PublishDurable()
    {
        uint id = await _client.Transfer(Durable);
        await _client.ExpectQuiet();
        _storage.Commit();
        await _client.ExpectDisposition("accepted", id);
    }

    private async Task Restart()
    {
        await _server.DisposeAsync();
        _storage.Dispose();
        _disk = _disk.Crash();
        await Start();
    }

    private async Task Start()
    {
        _storage = new TestStorage(_disk);
        _server = new TestServer(storage: _storage);
        _client = await _server.Open10();
    }
}
