using System.Text;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Crash;

/// <summary>What is there when a broker has been stopped, or killed, and started again.</summary>
public sealed class RestartTests : IDisposable
{
    private static readonly CreateChannelOptions WithConfirms = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
    private static readonly BasicProperties Persistent = new() { Persistent = true };

    private readonly DataDirectory _data = new();

    public enum End
    {
        Stop,
        Kill,
    }

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task Durable_queues_exchanges_bindings_and_persistent_messages_are_kept_in_order(End end)
    {
        await LiveAsync(end, async (_, channel) =>
        {
            await channel.ExchangeDeclareAsync("events", ExchangeType.Topic, durable: true);
            await channel.ExchangeDeclareAsync("inner", ExchangeType.Headers, durable: true);
            await DeclareAsync(channel, "kept");
            await DeclareAsync(channel, "by-headers");
            await channel.QueueBindAsync("kept", "events", "a.*");
            await channel.ExchangeBindAsync("inner", "events", "#");
            await channel.QueueBindAsync("by-headers", "inner", "", new Dictionary<string, object?> { ["x-match"] = "all", ["colour"] = "red" });
            for (int i = 0; i < 50; i++) await PublishAsync(channel, "kept", $"{i}");
        });
        await LiveAsync(End.Kill, async (_, channel) =>
        {
            // A passive declare tells that it exists, another one that it is what it was.
            await channel.ExchangeDeclareAsync("events", ExchangeType.Topic, durable: true);
            await channel.ExchangeDeclareAsync("inner", ExchangeType.Headers, durable: true);
            await DeclareAsync(channel, "kept");
            await channel.BasicPublishAsync("events", "a.b", true, Persistent, "by binding"u8.ToArray());
            var red = new BasicProperties { Persistent = true, Headers = new Dictionary<string, object?> { ["colour"] = "red" } };
            await channel.BasicPublishAsync("events", "elsewhere", true, red, "by headers"u8.ToArray());
            (await DrainAsync(channel, "kept")).ShouldBe([.. Enumerable.Range(0, 50).Select(i => $"{i}"), "by binding"]);
            (await DrainAsync(channel, "by-headers")).ShouldBe(["by headers"]);
        });
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task What_is_not_durable_is_gone(End end)
    {
        await LiveAsync(end, async (_, channel) =>
        {
            await DeclareAsync(channel, "durable");
            await channel.BasicPublishAsync("", "durable", "transient"u8.ToArray());
            await PublishAsync(channel, "durable", "persistent");
            await channel.QueueDeclareAsync("brief", durable: false, exclusive: false, autoDelete: false);
            await PublishAsync(channel, "brief", "persistent, in a queue that is not");
            await channel.QueueDeclareAsync("mine", durable: true, exclusive: true, autoDelete: false);
            await channel.ExchangeDeclareAsync("brief", ExchangeType.Direct, durable: false);
            await channel.QueueBindAsync("durable", "brief", "key");
        });
        await LiveAsync(End.Kill, async (connection, channel) =>
        {
            (await DrainAsync(channel, "durable")).ShouldBe(["persistent"]);
            await ShouldNotExistAsync(connection, c => c.QueueDeclarePassiveAsync("brief"));
            await ShouldNotExistAsync(connection, c => c.QueueDeclarePassiveAsync("mine"));
            await ShouldNotExistAsync(connection, c => c.ExchangeDeclarePassiveAsync("brief"));
        });
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task What_was_deleted_unbound_or_purged_stays_so(End end)
    {
        await LiveAsync(end, async (_, channel) =>
        {
            foreach (string queue in new[] { "deleted", "emptied", "unbound" }) await DeclareAsync(channel, queue);
            await channel.ExchangeDeclareAsync("gone", ExchangeType.Fanout, durable: true);
            await channel.QueueBindAsync("unbound", "amq.direct", "key");
            for (int i = 0; i < 20; i++) await PublishAsync(channel, "emptied", "old");
            await PublishAsync(channel, "deleted", "content");
            (await channel.QueuePurgeAsync("emptied")).ShouldBe(20u);
            await PublishAsync(channel, "emptied", "new");
            (await channel.QueueDeleteAsync("deleted")).ShouldBe(1u);
            await channel.ExchangeDeleteAsync("gone");
            await channel.QueueUnbindAsync("unbound", "amq.direct", "key");
        });
        await LiveAsync(End.Kill, async (connection, channel) =>
        {
            (await DrainAsync(channel, "emptied")).ShouldBe(["new"]);
            await ShouldNotExistAsync(connection, c => c.QueueDeclarePassiveAsync("deleted"));
            await ShouldNotExistAsync(connection, c => c.ExchangeDeclarePassiveAsync("gone"));
            await channel.BasicPublishAsync("amq.direct", "key", mandatory: false, Persistent, "x"u8.ToArray());
            (await DrainAsync(channel, "unbound")).ShouldBeEmpty();
            (await channel.QueueDeclareAsync("deleted", durable: true, exclusive: false, autoDelete: false)).MessageCount.ShouldBe(0u);
        });
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task What_was_delivered_comes_back_as_redelivered_and_what_was_not_as_new(End end)
    {
        await LiveAsync(end, async (_, channel) =>
        {
            await DeclareAsync(channel, "tasks");
            foreach (string body in new[] { "acked", "held", "returned", "waiting" }) await PublishAsync(channel, "tasks", body);
            BasicGetResult acked = (await channel.BasicGetAsync("tasks", autoAck: false))!;
            (await channel.BasicGetAsync("tasks", autoAck: false)).ShouldNotBeNull();
            BasicGetResult returned = (await channel.BasicGetAsync("tasks", autoAck: false))!;
            await channel.BasicAckAsync(acked.DeliveryTag, multiple: false);
            await channel.BasicNackAsync(returned.DeliveryTag, multiple: false, requeue: true);
            await SettleAsync(channel);
        });
        await LiveAsync(End.Kill, async (_, channel) =>
        {
            var found = new List<(string, bool)>();
            while (await channel.BasicGetAsync("tasks", autoAck: true) is { } message) found.Add((Text(message), message.Redelivered));
            found.ShouldBe([("held", true), ("returned", true), ("waiting", false)]);
        });
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task Of_a_transaction_there_is_all_or_nothing(End end)
    {
        await LiveAsync(end, async (connection, channel) =>
        {
            foreach (string queue in new[] { "from", "to", "log" }) await DeclareAsync(channel, queue);
            foreach (string body in new[] { "moved", "stays" }) await PublishAsync(channel, "from", body);
            IChannel committed = await connection.CreateChannelAsync(), open = await connection.CreateChannelAsync();
            foreach (IChannel transactional in new[] { committed, open })
            {
                await transactional.TxSelectAsync();
                BasicGetResult task = (await transactional.BasicGetAsync("from", autoAck: false))!;
                await transactional.BasicPublishAsync("", "to", true, Persistent, task.Body);
                await transactional.BasicPublishAsync("", "log", true, Persistent, task.Body);
                await transactional.BasicAckAsync(task.DeliveryTag, multiple: false);
            }
            await committed.TxCommitAsync();
        });
        await LiveAsync(End.Kill, async (_, channel) =>
        {
            (await DrainAsync(channel, "from")).ShouldBe(["stays"]);
            (await DrainAsync(channel, "to")).ShouldBe(["moved"]);
            (await DrainAsync(channel, "log")).ShouldBe(["moved"]);
        });
    }

    [Theory]
    [InlineData(End.Stop)]
    [InlineData(End.Kill)]
    public async Task Two_hundred_queues_have_their_messages_again(End end)
    {
        const int Queues = 200, MessagesEach = 10;
        await LiveAsync(end, async (_, channel) =>
        {
            for (int q = 0; q < Queues; q++) await DeclareAsync(channel, $"q{q}");
            for (int m = 0; m < MessagesEach; m++)
                await Task.WhenAll(Enumerable.Range(0, Queues).Select(q => PublishAsync(channel, $"q{q}", $"{q}.{m}")));
        });
        await LiveAsync(End.Kill, async (_, channel) =>
        {
            for (int q = 0; q < Queues; q++) (await DrainAsync(channel, $"q{q}")).ShouldBe(Enumerable.Range(0, MessagesEach).Select(m => $"{q}.{m}"));
        });
    }

    [Fact]
    public async Task A_second_broker_is_kept_off_the_directory()
    {
        await using HarrierProcess first = await HarrierProcess.StartAsync(_data.Path);
        await using HarrierProcess second = HarrierProcess.Launch(_data.Path);
        (await second.WaitForExitAsync()).ShouldBe(1);
        second.Output.ShouldContain(_data.Path);
        second.Output.ShouldNotContain("[1001]");
        await using IConnection connection = await first.ConnectAsync();
        connection.IsOpen.ShouldBeTrue();
    }

    [Fact]
    public async Task Nothing_grows_when_a_broker_is_started_again_and_again()
    {
        await LiveAsync(End.Stop, async (_, channel) =>
        {
            await DeclareAsync(channel, "kept");
            await PublishAsync(channel, "kept", "content");
        });
        long files = 0;
        for (int life = 0; life < 8; life++)
        {
            await LiveAsync(life % 2 == 0 ? End.Kill : End.Stop, async (_, channel) => (await channel.MessageCountAsync("kept")).ShouldBe(1u));
            long now = Directory.EnumerateFiles(_data.Path, "*", SearchOption.AllDirectories).LongCount();
            if (life == 3) files = now;
            if (life > 3) now.ShouldBeLessThanOrEqualTo(files + 1, string.Join(' ', Directory.EnumerateFiles(_data.Path, "*", SearchOption.AllDirectories)));
        }
    }

    /// <summary>One life of the broker on the test's directory. A stop has to be an orderly one.</summary>
    private async Task LiveAsync(End end, Func<IConnection, IChannel, Task> use)
    {
        await using HarrierProcess broker = await HarrierProcess.StartAsync(_data.Path);
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync(WithConfirms);
        await use(connection, channel);
        if (end == End.Kill) await broker.KillAsync();
        else (await broker.TerminateAsync()).ShouldBe(0);
        broker.LoggedErrors.ShouldBeEmpty();
    }

    private static async Task DeclareAsync(IChannel channel, string queue) => await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);

    private static async Task PublishAsync(IChannel channel, string queue, string text) =>
        await channel.BasicPublishAsync("", queue, mandatory: true, Persistent, Encoding.UTF8.GetBytes(text));

    // Acks have no answer. A message that is confirmed behind them tells that they are in the log.
    private static async Task SettleAsync(IChannel channel)
    {
        await DeclareAsync(channel, "behind");
        await PublishAsync(channel, "behind", "x");
    }

    private static async Task<List<string>> DrainAsync(IChannel channel, string queue)
    {
        var bodies = new List<string>();
        while (await channel.BasicGetAsync(queue, autoAck: true) is { } message) bodies.Add(Text(message));
        return bodies;
    }

    private static string Text(BasicGetResult message) => Encoding.UTF8.GetString(message.Body.Span);

    private static async Task ShouldNotExistAsync(IConnection connection, Func<IChannel, Task> ask)
    {
        await using IChannel channel = await connection.CreateChannelAsync();
        OperationInterruptedException answer = await Should.ThrowAsync<OperationInterruptedException>(() => ask(channel));
        answer.ShutdownReason!.ReplyCode.ShouldBe((ushort)404);
    }
}
