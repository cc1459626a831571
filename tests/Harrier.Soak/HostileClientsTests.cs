using System.Net;
using System.Net.Sockets;
using System.Text;
using Harrier.Server;
using RabbitMQ.Client;

namespace Harrier.Soak;

/// <summary>Clients that use up what they can. The broker keeps serving others, and its memory is back afterwards.</summary>
public sealed class HostileClientsTests
{
    private const long SlackBytes = 24 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Ten_thousand_connections_that_are_opened_and_dropped_leave_nothing_behind()
    {
        await using HarrierBroker broker = await HarrierBroker.StartAsync();
        await DropAsync(broker.EndPoint, 200); // what is made once is made
        long before = GC.GetTotalMemory(forceFullCollection: true);

        await DropAsync(broker.EndPoint, 10_000);

        await EventuallyAsync(() => broker.ConnectionCount == 0);
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(SlackBytes);
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task Ten_thousand_queues_come_and_go()
    {
        await using HarrierBroker broker = await HarrierBroker.StartAsync();
        await AssertServesAsync(broker);
        long before = GC.GetTotalMemory(forceFullCollection: true);

        await using (IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync())
        {
            await using IChannel channel = await connection.CreateChannelAsync();
            for (int i = 0; i < 10_000; i++) await channel.QueueDeclareAsync($"q{i}", durable: false, exclusive: true, autoDelete: false);
            (await channel.QueueDeclarePassiveAsync("q9999")).MessageCount.ShouldBe(0u);
        }

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(SlackBytes);
        await AssertServesAsync(broker);
    }

    [Fact]
    public async Task A_consumer_that_never_reads_costs_bounded_memory_and_harms_nobody()
    {
        const int Messages = 4_000;
        await using HarrierBroker broker = await HarrierBroker.StartAsync();
        await using IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using IChannel channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        string queue = (await channel.QueueDeclareAsync("stuck", durable: true, exclusive: false, autoDelete: false)).QueueName;
        using var stuck = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await stuck.ConnectAsync(broker.EndPoint);
        await stuck.SendAsync(ConsumerConversation(queue));
        await EventuallyAsync(async () => await channel.ConsumerCountAsync(queue) == 1);

        byte[] body = new byte[16 << 10];
        for (int i = 0; i < Messages; i++) await channel.BasicPublishAsync("", queue, body);

        // What is beyond the socket's buffers and two MiB of output stays in the queue: 64 MiB were published.
        (await channel.MessageCountAsync(queue)).ShouldBeGreaterThan(Messages / 2u);
        await AssertServesAsync(broker);
        stuck.Close(0);
        await EventuallyAsync(async () => await channel.ConsumerCountAsync(queue) == 0);
    }

    private static async Task DropAsync(EndPoint broker, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(broker);
            switch (i % 4)
            {
                case 0: await socket.SendAsync("AMQP\0\0\u0009\u0001"u8.ToArray()); break;
                case 1: await socket.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray()); break;
                case 2: await socket.SendAsync(OpeningConversation()); break;
            }
            if (i % 8 < 4) socket.Close(0);
        }
    }

    /// <summary>Header, start-ok, tune-ok, open and channel.open, sent without waiting for any answer.</summary>
    private static byte[] OpeningConversation() =>
    [
        .. "AMQP\0\0\u0009\u0001"u8,
        .. Method(0, 10, 11, [0, 0, 0, 0, .. ShortString("PLAIN"), .. LongString("\0guest\0guest"), .. ShortString("en_US")]),
        .. Method(0, 10, 31, [0, 10, 0, 2, 0, 0, 0, 0]),
        .. Method(0, 10, 40, [.. ShortString("/"), 0, 0]),
        .. Method(1, 20, 10, [0]),
    ];

    private static byte[] ConsumerConversation(string queue) =>
        [.. OpeningConversation(), .. Method(1, 60, 20, [0, 0, .. ShortString(queue), 0, 0b10, 0, 0, 0, 0])];

    private static byte[] Method(byte channel, byte classId, byte methodId, byte[] arguments) =>
        [1, 0, channel, 0, 0, 0, (byte)(arguments.Length + 4), 0, classId, 0, methodId, .. arguments, 0xCE];

    private static byte[] ShortString(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static byte[] LongString(string text) => [0, 0, 0, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static async Task AssertServesAsync(HarrierBroker broker)
    {
        await using IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using IChannel channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        string queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.BasicPublishAsync("", queue, "still here"u8.ToArray());
        (await channel.BasicGetAsync(queue, autoAck: true)).ShouldNotBeNull();
    }

    private static Task EventuallyAsync(Func<bool> condition) => EventuallyAsync(() => Task.FromResult(condition()));

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition()) await clock.WaitForNextTickAsync(patience.Token);
    }
}
