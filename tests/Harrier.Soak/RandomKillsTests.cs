using System.Globalization;
using System.Text;
using Harrier.Server;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Xunit.Abstractions;

namespace Harrier.Soak;

/// <summary>Publishers and consumers on real sockets that are torn down at random. At the end every message is accounted for.</summary>
public sealed class RandomKillsTests(ITestOutputHelper output)
{
    private const int Publishers = 6;
    private const int Consumers = 6;
    private const int Queues = 4;
    private const int MessagesPerTurn = 50;

    private static readonly int Seconds = int.Parse(Environment.GetEnvironmentVariable("SOAK_SECONDS") ?? "12", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Every_message_is_accounted_for_when_clients_die_at_random()
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using HarrierBroker broker = await HarrierBroker.StartAsync();
        await DeclareAsync(broker);
        var account = new Account();
        var connections = new KillableConnections(broker.Uri);
        using var publishing = new CancellationTokenSource(TimeSpan.FromSeconds(Seconds));
        using var consuming = new CancellationTokenSource();

        Task[] publishers = [.. Enumerable.Range(0, Publishers).Select(i => PublishAsync(i, connections, account, publishing.Token))];
        Task[] consumers = [.. Enumerable.Range(0, Consumers).Select(i => ConsumeAsync(i, connections, account, consuming.Token))];
        await KillAsync(connections, new Random(seed), publishing.Token);
        await Task.WhenAll(publishers);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await EventuallyAsync(account.HasEverythingConfirmed, patience.Token);
        await consuming.CancelAsync();
        await Task.WhenAll(consumers);

        output.WriteLine($"{account.ConfirmedCount} confirmed, {account.ReceivedCount} received");
        account.Check();
        await EventuallyAsync(() => broker.ConnectionCount == 0, patience.Token);
        (await CountAsync(broker)).ShouldBe(0, "messages are left in the queues");
    }

    private static async Task DeclareAsync(HarrierBroker broker)
    {
        await using IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        for (int i = 0; i < Queues; i++) await channel.QueueDeclareAsync($"q{i}", durable: true, exclusive: false, autoDelete: false);
    }

    private static async Task<long> CountAsync(HarrierBroker broker)
    {
        await using IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        long count = 0;
        for (int i = 0; i < Queues; i++) count += await channel.MessageCountAsync($"q{i}");
        return count;
    }

    private static async Task PublishAsync(int number, KillableConnections connections, Account account, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using IConnection connection = await connections.OpenAsync();
                await using IChannel channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
                while (!stop.IsCancellationRequested) await PublishSomeAsync(number, channel, account);
            }
            catch (Exception e) when (IsDeath(e))
            {
                // Killed: what was not confirmed may or may not have arrived. Begin again.
            }
        }
    }

    private static Task PublishSomeAsync(int number, IChannel channel, Account account) =>
        Task.WhenAll(Enumerable.Range(0, MessagesPerTurn).Select(async i =>
        {
            long id = account.NewMessage();
            byte[] body = Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture));
            await channel.BasicPublishAsync("", $"q{(number + i) % Queues}", mandatory: true, body);
            account.OnConfirmed(id);
        }));

    private static async Task ConsumeAsync(int number, KillableConnections connections, Account account, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using IConnection connection = await connections.OpenAsync();
                await using IChannel channel = await connection.CreateChannelAsync();
                await channel.BasicQosAsync(0, 20, false);
                var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                channel.ChannelShutdownAsync += (_, _) =>
                {
                    closed.TrySetResult();
                    return Task.CompletedTask;
                };
                var consumer = new AsyncEventingBasicConsumer(channel);
                consumer.ReceivedAsync += async (_, delivery) =>
                {
                    long id = long.Parse(Encoding.ASCII.GetString(delivery.Body.Span), CultureInfo.InvariantCulture);
                    // Every so often a message is put back, so that returns are a part of it all.
                    if (id % 17 == 0 && !delivery.Redelivered) await channel.BasicNackAsync(delivery.DeliveryTag, false, requeue: true);
                    else
                    {
                        account.OnReceived(id, delivery.Redelivered);
                        await channel.BasicAckAsync(delivery.DeliveryTag, false);
                    }
                };
                await channel.BasicConsumeAsync($"q{number % Queues}", autoAck: false, consumer);
                await closed.Task.WaitAsync(stop);
            }
            catch (Exception e) when (IsDeath(e))
            {
                // Killed, or the end of the soak.
            }
        }
    }

    private static async Task KillAsync(KillableConnections connections, Random random, CancellationToken stop)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(150));
        try
        {
            while (await clock.WaitForNextTickAsync(stop)) connections.KillOne(random);
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    // Whatever a client library throws when its socket is gone. Wrong results are found by the account, not by exceptions.
    private static bool IsDeath(Exception e) => e is not (OutOfMemoryException or ShouldAssertException);

    private static async Task EventuallyAsync(Func<bool> condition, CancellationToken patience)
    {
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition()) await clock.WaitForNextTickAsync(patience);
    }
}
