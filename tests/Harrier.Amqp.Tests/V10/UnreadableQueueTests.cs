using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What links learn of a queue whose messages on disk cannot be read.</summary>
public class UnreadableQueueTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_link_that_looks_for_its_messages_itself_is_detached(bool isBrowsing)
    {
        var disk = new SimDisk(1);
        using var storage = new TestStorage(disk);
        await using var server = new TestServer(storage: storage);
        server.Session().DeclareQueue("q", durable: true, exclusive: false, autoDelete: false, ArgumentTable.Empty);
        storage.Commit();
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Transfer(new Message10().Header(new MessageHeader { Durable = true }).Data("m").Bytes, settled: true);
        await client.ExpectQuiet();
        storage.Checkpoint();
        disk.Corrupt(disk.List("segments").Order(StringComparer.Ordinal).First(), 60, 1);
        byte[] filter = Encoded10.Map(("s", [(byte)FormatCode.Described, .. Encoded10.Symbol("apache.org:selector-filter:string"), .. Encoded10.String("TRUE")]));
        var source = new Source { Address = Encoded10.String("/queues/q"), Filter = isBrowsing ? default : filter, DistributionMode = isBrowsing ? "copy"u8 : default };
        await client.Send(Links10.Receiver(1, Encoded10.Composite(source)));
        await client.Expect<WireAttach>();
        await client.Grant(1);
        await client.ExpectDetach("amqp:internal-error", 1);
        server.Queue("q").ReadyCount.ShouldBe(1);
        server.Queue("q").ConsumerCount.ShouldBe(0);
    }
}
