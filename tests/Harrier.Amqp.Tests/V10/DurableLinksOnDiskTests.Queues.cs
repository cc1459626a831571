using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Queues that change behind durable links, and what comes from other queues.</summary>
public sealed partial class DurableLinksOnDiskTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Terminus_of_a_queue_that_was_deleted_is_none_of_its_successor(bool restarts)
    {
        _server.Session().DeclareQueue("a", durable: true, exclusive: false, autoDelete: true, ArgumentTable.Empty);
        _storage.Commit();
        await During(_client.AttachInbox(new DurableEnd { Address = "/queues/a" }));
        await TestServer.Lose(_client);
        _server.Session().DeleteQueue("a", ifUnused: false, ifEmpty: false);
        _server.Session().DeclareQueue("a", durable: true, exclusive: false, autoDelete: true, ArgumentTable.Empty);
        _storage.Commit();
        WireScript10 publisher = await _server.Open10(new OpenOptions10 { ContainerId = "publisher" });
        await publisher.AttachSender(address: "/queues/a");
        uint id = await publisher.Transfer(new Message10().Header(new MessageHeader { Durable = true }).Data("x").Bytes);
        await During(publisher.ExpectDisposition("accepted", id));
        await publisher.Close();
        if (restarts) await RestartAsync();
        else _client = await _server.Open10();
        _server.Queue("a").ReadyCount.ShouldBe(1);
        await During(_client.AttachInbox(new DurableEnd { Address = "/queues/q" })); // the link is for another queue now: its terminus ends
        _server.Queue("a").ReadyCount.ShouldBe(1);
        _server.Queue("a").IsDeleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Dead_letter_with_as_many_sections_as_may_come_is_delivered_to_a_durable_link()
    {
        _server.Session().DeclareQueue("dead", durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);
        _storage.Commit();
        _server.SetPolicy("dead-letter-exchange= dead-letter-routing-key=dead", pattern: "^q$");
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "publisher" });
        await other.AttachSender();
        await other.AttachReceiver();
        await During(_client.AttachInbox(new DurableEnd { Address = "/queues/dead" }));
        await _client.Grant(1, handle: 0);
        await _client.ExpectQuiet();
        await other.Send(new Frames10().Message(other.NextDeliveryId(), LargeSectionsTests.Largest, 100_000));
        await During(other.ExpectDisposition("accepted", 0));
        await other.Grant(1);
        WireDelivery10 delivery = await During(other.ExpectDelivery());
        await other.Settle(delivery.DeliveryId, States10.Rejected);
        await other.ExpectQuiet();
        (await During(_client.ExpectDelivery(0))).Text.ShouldBe("body");
    }
}
