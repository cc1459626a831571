using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Security;
using Harrier.Protocol.Amqp091;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace Harrier.Budget.Tests;

/// <summary>Bytes that the broker allocates per message from publish to ack, against budget.json.</summary>
public sealed class AllocationBudgetTests(ITestOutputHelper output)
{
    private const int Batches = 250;
    private const int Attempts = 25;

    // The flags and the value of delivery-mode alone.
    private static readonly byte[] Transient = [0x10, 0x00, 1];

    private static readonly Dictionary<string, int> Budget =
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "budget.json")))!;

    public static TheoryData<string, Case> Cases => new()
    {
        { "16 B, no-ack, default exchange", new Case(16, "", i => "q0") },
        { "16 B, acked in batches, confirmed", new Case(16, "", i => "q0", AckEvery: 50, Confirmed: true) },
        { "1 KiB, acked one by one, confirmed", new Case(1024, "", i => "q0", AckEvery: 1, Confirmed: true) },
        { "16 B, fanout to 4 queues, no-ack", new Case(16, "amq.fanout", i => "", Queues: 4) },
        { "16 B, topic exchange, keys that change with every message", new Case(16, "amq.topic", i => $"a.{i}.c", BindingKey: "a.*.#") },
        { "16 B, headers exchange", new Case(16, "amq.headers", i => "", Properties: HeaderProperties()) },
        // Not quite nothing: a flush that the pipe holds back costs a work item of its scheduler, and here every few messages fill the pipe.
        { "64 KiB, no-ack", new Case(65_536, "", i => "q0", BatchMessages: 8) },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_message_allocates_no_more_than_its_budget(string name, Case @case)
    {
        using AmqpServer server = CreateServer();
        BudgetClient publisher = await BudgetClient.ConnectAsync(server);
        BudgetClient consumer = await BudgetClient.ConnectAsync(server);
        await SetUpAsync(@case, publisher, consumer);
        byte[] batch = BudgetClient.Batch(@case.BatchMessages, @case.Size, @case.Exchange, @case.RoutingKey, @case.Properties ?? Transient);
        await RunAsync(@case, publisher, consumer, batch);

        // What each message costs shows in every attempt; a pool that grows once, because the threads happened to run that way, does not.
        long least = long.MaxValue;
        for (int i = 0; i < Attempts && least > Budget[name]; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync(@case, publisher, consumer, batch);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (@case.BatchMessages * Batches));
        }
        least.ShouldBeLessThanOrEqualTo(Budget[name], $"{least} bytes per message");
    }

    public static TheoryData<string, int, bool, int> Cases10 => new()
    {
        { "1.0, 16 B, settled by its sender", 16, true, 0 },
        { "1.0, 16 B, accepted in batches, at least once", 16, false, 50 },
        { "1.0, 1 KiB, accepted in batches, at least once", 1024, false, 50 },
    };

    [Theory]
    [MemberData(nameof(Cases10))]
    public async Task A_transfer_allocates_no_more_than_its_budget(string name, int size, bool settled, int acceptEvery)
    {
        const int BatchMessages = 400; // within the credit of a link
        using AmqpServer server = CreateServer();
        BudgetClient owner = await BudgetClient.ConnectAsync(server);
        owner.Send(1, new QueueDeclare { Queue = "q0"u8, Durable = true });
        await owner.CallAsync(1, AmqpMethod.QueueDeclareOk);
        BudgetClient10 publisher = await BudgetClient10.ConnectAsync(server), consumer = await BudgetClient10.ConnectAsync(server);
        await publisher.AttachAsync("q0", isSender: true, settled);
        await consumer.AttachAsync("q0", isSender: false, settled);
        byte[] batch = BudgetClient10.Batch(BatchMessages, size, settled);
        await RunAsync();

        long least = long.MaxValue;
        for (int i = 0; i < Attempts && least > Budget[name]; i++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await RunAsync();
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (BatchMessages * Batches));
        }
        least.ShouldBeLessThanOrEqualTo(Budget[name], $"{least} bytes per message");

        async Task RunAsync()
        {
            for (int i = 0; i < Batches; i++)
            {
                ValueTask consuming = consumer.ConsumeAsync(BatchMessages, acceptEvery);
                await publisher.PublishAsync(batch, BatchMessages, settled);
                await consuming;
            }
        }
    }

    [Fact]
    public async Task An_idle_link_takes_less_than_10_KiB()
    {
        const int Sessions = 40, LinksPerSession = 250;
        using AmqpServer server = CreateServer();
        BudgetClient owner = await BudgetClient.ConnectAsync(server);
        owner.Send(1, new QueueDeclare { Queue = "q0"u8, Durable = true });
        await owner.CallAsync(1, AmqpMethod.QueueDeclareOk);
        BudgetClient10 client = await BudgetClient10.ConnectAsync(server);
        long before = GC.GetTotalMemory(forceFullCollection: true);

        await client.AttachIdleAsync("q0", Sessions, LinksPerSession);

        long perLink = (GC.GetTotalMemory(forceFullCollection: true) - before) / (Sessions * LinksPerSession);
        output.WriteLine($"{perLink} bytes per link");
        perLink.ShouldBeInRange(100, 10 * 1024);
    }

    [Fact]
    public void Every_budget_has_its_case() => Budget.Keys.Order().ShouldBe(Cases.Select(c => (string)c[0]).Concat(Cases10.Select(c => (string)c[0])).Order());

    private static async Task RunAsync(Case @case, BudgetClient publisher, BudgetClient consumer, byte[] batch)
    {
        // One batch at a time, so that queues stay short and what is counted is the steady state.
        for (int i = 0; i < Batches; i++)
        {
            ValueTask consuming = consumer.ConsumeAsync(@case.BatchMessages * @case.Queues, @case.AckEvery);
            await publisher.PublishAsync(batch, @case.BatchMessages, @case.Confirmed);
            await consuming;
        }
    }

    private static async Task SetUpAsync(Case @case, BudgetClient publisher, BudgetClient consumer)
    {
        for (int i = 0; i < @case.Queues; i++)
        {
            byte[] queue = Encoding.UTF8.GetBytes($"q{i}");
            consumer.Send(1, new QueueDeclare { Queue = queue, Durable = true });
            await consumer.CallAsync(1, AmqpMethod.QueueDeclareOk);
            if (@case.Exchange.Length > 0)
            {
                byte[] arguments = @case.Properties is null ? [] : new FieldTableWriter().Add("wanted", "yes").Written.ToArray();
                byte[] key = Encoding.UTF8.GetBytes(@case.BindingKey);
                consumer.Send(1, new QueueBind { Queue = queue, Exchange = Encoding.UTF8.GetBytes(@case.Exchange), RoutingKey = key, Arguments = arguments });
                await consumer.CallAsync(1, AmqpMethod.QueueBindOk);
            }
            consumer.Send(1, new BasicConsume { Queue = queue, ConsumerTag = queue, NoAck = @case.AckEvery == 0 });
            await consumer.CallAsync(1, AmqpMethod.BasicConsumeOk);
        }
        if (!@case.Confirmed) return;
        publisher.Send(1, new ConfirmSelect());
        await publisher.CallAsync(1, AmqpMethod.ConfirmSelectOk);
    }

    private static byte[] HeaderProperties()
    {
        ReadOnlySpan<byte> table = new FieldTableWriter().Add("number", 1).Add("wanted", "yes").Written;
        return [0x20, 0x00, 0, 0, 0, (byte)table.Length, .. table];
    }

    private static AmqpServer CreateServer()
    {
        var random = new Random(1);
        FrozenDictionary<string, Permissions> permissions = new Dictionary<string, Permissions> { ["/"] = Permissions.All }.ToFrozenDictionary();
        var guest = new User("guest", PasswordHash.Of("guest", random), new HashSet<string>(), permissions);
        var broker = new MessageBroker(["/"], new UserStore([guest]), random, TimeProvider.System);
        return new AmqpServer(broker, new ConnectionLimits { HeartbeatSeconds = 0 }, new ServerIdentity(), TimeProvider.System, NullLogger<AmqpServer>.Instance);
    }

    /// <summary>What is published and how it is consumed.</summary>
    public sealed record Case(
        int Size, string Exchange, Func<int, string> RoutingKey, int AckEvery = 0, bool Confirmed = false, int Queues = 1, string BindingKey = "",
        byte[]? Properties = null, int BatchMessages = 500);
}
