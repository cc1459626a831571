using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>Two transactions of AMQP 1.0 at once, each over several queues, and a crash at every point of their way to the disk: each happens wholly or not at all.</summary>
public class TransactionCrashTests
{
    private const int Outcomes = 10;

    private static readonly string[] Names = ["a", "b", "c"];

    [Theory]
    [InlineData(20)]
    [InlineData(6000)]
    public async Task All_of_a_transaction_is_found_or_nothing(int bodySize)
    {
        (long first, long last) = await RunAsync(new SimDisk(1), 0, bodySize);
        last.ShouldBeGreaterThan(first);
        var seen = new HashSet<(bool, bool)>();
        for (long point = first; point <= last + 1; point++)
        {
            var disk = new SimDisk((int)point);
            await RunAsync(disk, point, bodySize);
            for (int outcome = 0; outcome < Outcomes; outcome++) seen.Add(Look(disk.Crash(), isOver: point > last));
        }
        seen.ShouldContain((false, false));
        seen.ShouldContain((true, true));
    }

    /// <summary>Has two transactions discharged, and brings that to the disk: between which points.</summary>
    private static async Task<(long First, long Last)> RunAsync(SimDisk disk, long crashAt, int bodySize)
    {
        var storage = new TestStorage(disk);
        var server = new TestServer(storage: storage);
        server.Broker.TryFindVirtualHost("/", out var host).ShouldBeTrue();
        foreach (string name in Names) new ClientSession(TestUsers.Guest, host!).DeclareQueue(name, true, false, false, ArgumentTable.Empty);
        WireScript10 client = await server.Open10();
        await client.AttachCoordinator();
        for (uint i = 0; i < Names.Length; i++)
        {
            await client.AttachSender(i, $"/queues/{Names[i]}");
            uint id = await client.Transfer(MessageOf("old", bodySize), i);
            storage.Commit();
            await client.ExpectDisposition("accepted", id);
        }
        string one = await client.Declare(), two = await client.Declare();
        await PublishAsync(client, one, bodySize);
        await PublishAsync(client, two, bodySize);
        await AcceptAsync(client, one, queue: 0);
        await AcceptAsync(client, one, queue: 1);
        await AcceptAsync(client, two, queue: 2);
        storage.Commit();
        await client.ExpectQuiet();
        long first = disk.Points + 1;
        foreach (string transaction in (string[])[one, two])
        {
            byte[] discharge = Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(transaction)) });
            await client.Transfer(new Message10().Value(discharge).Bytes, handle: 9);
        }
        disk.OnPoint = point =>
        {
            if (point.Number == crashAt) throw new SimulatedCrashException();
        };
        try
        {
            storage.Commit();
        }
        catch (SimulatedCrashException)
        {
            crashAt.ShouldBePositive();
        }
        long last = disk.Points;
        client.Leave();
        return (first, last);
    }

    private static byte[] MessageOf(string text, int size) =>
        new Message10().Header(new MessageHeader { Durable = true }).Data(text.PadRight(size)).Bytes;

    private static async Task PublishAsync(WireScript10 client, string transaction, int bodySize)
    {
        for (uint i = 0; i < Names.Length; i++)
            await client.ExpectDisposition("transactional-state", await client.Transfer(MessageOf(transaction, bodySize), i, state: States10.In(transaction)));
    }

    private static async Task AcceptAsync(WireScript10 client, string transaction, int queue)
    {
        uint handle = (uint)(20 + queue);
        await client.AttachReceiver(handle, $"/queues/{Names[queue]}");
        await client.Grant(1, handle);
        WireDelivery10 delivery = await client.ExpectDelivery(handle);
        delivery.Text.Trim().ShouldBe("old");
        await client.Settle(delivery.DeliveryId, States10.In(transaction, States10.Accepted));
        await client.ExpectQuiet();
    }

    /// <summary>Which of the transactions a restart finds.</summary>
    private static (bool One, bool Two) Look(SimDisk disk, bool isOver)
    {
        using var storage = new TestStorage(disk);
        var server = new TestServer(storage: storage);
        server.Broker.TryFindVirtualHost("/", out var host).ShouldBeTrue();
        var session = new ClientSession(TestUsers.Guest, host!);
        string[] contents = [.. Names.Select(name => string.Join(' ', Drain(session, session.QueueToRead(name))))];
        bool one = contents[0].Contains("01", StringComparison.Ordinal), two = contents[0].Contains("02", StringComparison.Ordinal);
        string ones = one ? " 00000001" : "", twos = two ? " 00000002" : "", old = "old";
        contents[0].Trim().ShouldBe($"{(one ? "" : old)}{ones}{twos}".Trim());
        contents[1].Trim().ShouldBe($"{(one ? "" : old)}{ones}{twos}".Trim());
        contents[2].Trim().ShouldBe($"{(two ? "" : old)}{ones}{twos}".Trim());
        if (isOver) (one, two).ShouldBe((true, true));
        return (one, two);
    }

    private static IEnumerable<string> Drain(ClientSession session, Queue queue)
    {
        while (true)
        {
            QueueAnswer answer = session.Commands.Ask(new QueueCommand(QueueCommandKind.Get, queue, Flags: QueueCommandFlags.Settled));
            if (answer.Status == QueueAnswerStatus.OnDisk)
            {
                answer.Load!.WhenApplied.Wait();
                continue;
            }
            if (answer.Status == QueueAnswerStatus.Empty) yield break;
            yield return new WireDelivery10(0, 0, [], false, [.. answer.Message!.Properties, .. answer.Message.Body], []).Read().Text.Trim();
            answer.Message.Release();
        }
    }
}
