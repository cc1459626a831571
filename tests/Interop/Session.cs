using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Interop.Tests;

/// <summary>A connection with one channel; what it declares is deleted when it ends.</summary>
internal sealed class Session : IAsyncDisposable
{
    public static readonly CreateChannelOptions WithConfirms = new(
        publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);

    private readonly List<string> _queues = [];
    private readonly List<string> _exchanges = [];
    private IChannel? _confirming;

    private Session(IConnection connection, IChannel channel)
    {
        Connection = connection;
        Channel = channel;
    }

    public IConnection Connection { get; }

    public IChannel Channel { get; }

    public string VirtualHost { get; private init; } = "/";

    /// <summary>Since 3.13 RabbitMQ also writes the headers x-last-death-*.</summary>
    public bool TellsLastDeath => ServerVersion >= new Version(3, 13);

    private Version ServerVersion => Version.Parse(Encoding.UTF8.GetString((byte[])Connection.ServerProperties!["version"]!));

    public static string Unique(string kind) => $"interop.{kind}.{Guid.NewGuid():N}";

    public static async Task<Session> OpenAsync(BrokerUnderTest broker, Action<ConnectionFactory>? configure = null)
    {
        var factory = Clients.FactoryFor(broker.Uri);
        configure?.Invoke(factory);
        var connection = await factory.CreateConnectionAsync();
        return new Session(connection, await connection.CreateChannelAsync()) { VirtualHost = factory.VirtualHost };
    }

    public async ValueTask DisposeAsync()
    {
        if (Connection.IsOpen)
        {
            await using var cleaner = await Connection.CreateChannelAsync();
            foreach (var queue in _queues) await cleaner.QueueDeleteAsync(queue);
            foreach (var exchange in _exchanges) await cleaner.ExchangeDeleteAsync(exchange);
        }

        await Channel.DisposeAsync();
        await Connection.DisposeAsync();
    }

    public Task<IChannel> NewChannelAsync(CreateChannelOptions? options = null) => Connection.CreateChannelAsync(options);

    public async Task<string> QueueAsync(bool durable = false, bool autoDelete = false, Dictionary<string, object?>? arguments = null)
    {
        var name = Unique("queue");
        await Channel.QueueDeclareAsync(name, durable, exclusive: !durable, autoDelete, arguments);
        _queues.Add(name);
        return name;
    }

    public Task<string> QueueAsync(Dictionary<string, object?> arguments) => QueueAsync(durable: false, autoDelete: false, arguments);

    public Task<string> QuorumQueueAsync(Dictionary<string, object?>? arguments = null) =>
        QueueAsync(durable: true, autoDelete: false, new(arguments ?? []) { ["x-queue-type"] = "quorum" });

    /// <summary>Exclusive, but for the type quorum, which is durable.</summary>
    public async Task QueueAsync(string name, Dictionary<string, object?> arguments)
    {
        var isQuorum = arguments.GetValueOrDefault("x-queue-type") is "quorum";
        await Channel.QueueDeclareAsync(name, durable: isQuorum, exclusive: !isQuorum, autoDelete: false, arguments);
        _queues.Add(name);
    }

    public async Task ExchangeAsync(string type, string name)
    {
        await Channel.ExchangeDeclareAsync(name, type);
        _exchanges.Add(name);
    }

    public async Task<string> ExchangeAsync(string type, bool durable = false, Dictionary<string, object?>? arguments = null)
    {
        var name = Unique(type);
        await Channel.ExchangeDeclareAsync(name, type, durable, arguments: arguments);
        _exchanges.Add(name);
        return name;
    }

    public async Task<string> BoundQueueAsync(string exchange, string key, Dictionary<string, object?>? arguments = null)
    {
        var queue = await QueueAsync();
        await Channel.QueueBindAsync(queue, exchange, key, arguments);
        return queue;
    }

    public async Task SendAsync(string queue, params string[] bodies)
    {
        foreach (var body in bodies) await Channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes(body));
    }

    public Task SendAsync(string queue, string body, BasicProperties properties) => PublishAsync("", queue, body, properties);

    public Task PublishAsync(string exchange, string key, string body, BasicProperties? properties = null) =>
        Channel.BasicPublishAsync(exchange, key, mandatory: false, properties ?? new(), Encoding.UTF8.GetBytes(body)).AsTask();

    /// <summary>False when the broker answers with basic.nack.</summary>
    public async Task<bool> IsConfirmedAsync(string exchange, string key, string body)
    {
        _confirming ??= await NewChannelAsync(WithConfirms);
        try
        {
            await _confirming.BasicPublishAsync(exchange, key, Encoding.UTF8.GetBytes(body)).AsTask().InTimeAsync("the confirm");
            return true;
        }
        catch (PublishException error) when (!error.IsReturn)
        {
            return false;
        }
    }

    /// <summary>Whether a queue of this name exists; unlike a passive declaration it does not count as a use of the queue. Leaves a message.</summary>
    public async Task<bool> IsRoutableAsync(string queue)
    {
        _confirming ??= await NewChannelAsync(WithConfirms);
        try
        {
            await _confirming.BasicPublishAsync("", queue, mandatory: true, "probe"u8.ToArray()).AsTask().InTimeAsync("the confirm");
            return true;
        }
        catch (PublishException error) when (error.IsReturn)
        {
            return false;
        }
    }

    /// <summary>The queue must go by itself. Asks for an exchange that goes with its last binding, because asking for the queue would use it.</summary>
    public async Task ShouldGoAsync(string queue)
    {
        var watcher = Unique("watcher");
        await Channel.ExchangeDeclareAsync(watcher, ExchangeType.Fanout, durable: false, autoDelete: true);
        await Channel.QueueBindAsync(queue, watcher, "");
        await using var channel = await NewChannelAsync();
        await Eventually.IsTrueAsync(
            async () =>
            {
                try
                {
                    await channel.ExchangeDeclarePassiveAsync(watcher);
                    return false;
                }
                catch (OperationInterruptedException error) when (error.ShutdownReason?.ReplyCode == 404)
                {
                    return true;
                }
            },
            "the queue is gone");
    }

    /// <summary>Lets time pass by the broker's clock: what was to happen this long after an earlier publish of this channel has happened.</summary>
    public async Task WaitAsync(int milliseconds)
    {
        var expired = await QueueAsync();
        await SendAsync(await QueueAsync(Arguments.DeadLettersTo(expired).And("x-message-ttl", milliseconds)), "marker");
        await GetAsync(expired);
    }

    public async Task<Inbox> ConsumeAsync(
        string queue, bool autoAck = false, IChannel? channel = null, Dictionary<string, object?>? arguments = null, bool exclusive = false)
    {
        var inbox = new Inbox(channel ?? Channel);
        inbox.Tag = await inbox.Channel.BasicConsumeAsync(queue, autoAck, "", noLocal: false, exclusive, arguments, inbox);
        return inbox;
    }

    /// <summary>The next message, as soon as there is one.</summary>
    public async Task<BasicGetResult> GetAsync(string queue, bool autoAck = true)
    {
        BasicGetResult? message = null;
        await Eventually.IsTrueAsync(
            async () => (message = await Channel.BasicGetAsync(queue, autoAck)) is not null, $"there is a message in {queue}");
        return message!;
    }

    /// <summary>Rejects the next message without requeueing it.</summary>
    public async Task RejectAsync(string queue) =>
        await Channel.BasicRejectAsync((await GetAsync(queue, autoAck: false)).DeliveryTag, requeue: false);

    public async Task<string[]> DrainAsync(string queue)
    {
        var bodies = new List<string>();
        while (await Channel.BasicGetAsync(queue, autoAck: true) is { } message) bodies.Add(message.Text());
        return [.. bodies];
    }

    /// <summary>Counts may overtake publishes in the broker, even on one channel, so this waits for the count.</summary>
    public Task ShouldBecomeReadyAsync(string queue, uint count) =>
        Eventually.IsTrueAsync(async () => await Channel.MessageCountAsync(queue) == count, $"{count} messages are ready");

    /// <summary>The broker must close the channel of <paramref name="use"/> with this code and text, and only that channel.</summary>
    public async Task ShouldRefuseAsync(ushort code, string text, Func<IChannel, Task> use) =>
        (await ShouldRefuseAsync(code, use)).ShouldBe(text);

    /// <summary>The broker must close the channel of <paramref name="use"/> with this code, and only that channel; gives the text.</summary>
    public async Task<string> ShouldRefuseAsync(ushort code, Func<IChannel, Task> use)
    {
        await using var channel = await NewChannelAsync();
        var closed = new TaskCompletionSource<ShutdownEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        channel.ChannelShutdownAsync += (_, reason) =>
        {
            closed.TrySetResult(reason);
            return Task.CompletedTask;
        };

        try
        {
            await use(channel);
        }
        catch (OperationInterruptedException)
        {
            // A method with an answer throws the reason; for one without, the event below is all there is.
        }

        var reason = await closed.Task.InTimeAsync("channel.close");
        reason.ReplyCode.ShouldBe(code);
        reason.Initiator.ShouldBe(ShutdownInitiator.Peer);
        await ShouldBeUsableAsync();
        return reason.ReplyText;
    }

    public async Task ShouldBeUsableAsync()
    {
        Connection.IsOpen.ShouldBeTrue();
        await using var channel = await NewChannelAsync();
        var queue = await channel.QueueDeclareAsync();
        await channel.BasicPublishAsync("", queue.QueueName, "alive"u8.ToArray());
        (await channel.BasicGetAsync(queue.QueueName, autoAck: true))!.Text().ShouldBe("alive");
        await channel.QueueDeleteAsync(queue.QueueName);
    }
}
