using System.Text;
using Harrier.Amqp;
using Harrier.TestSupport;
using RabbitMQ.Client;

namespace Harrier.Server.Tests.Examples;

/// <summary>What the examples of a page of docs need: an embedded broker by a clock that only the test moves, and a client whose publishing waits for confirms.</summary>
public abstract class ExampleBench : IAsyncLifetime
{
    private IConnection _connection = null!;

    protected SimClock Clock { get; } = new();

    protected HarrierBroker Server { get; private set; } = null!;

    protected IChannel Channel { get; private set; } = null!;

    protected static byte[] Body { get; } = Encoding.UTF8.GetBytes("hello");

    public async Task InitializeAsync()
    {
        // Heartbeats would go by the clock of the test on one side only.
        Server = await HarrierBroker.StartAsync(new HarrierOptions { Limits = new ConnectionLimits { HeartbeatSeconds = 0 } }, time: Clock);
        _connection = await new ConnectionFactory { Uri = Server.Uri, RequestedHeartbeat = TimeSpan.Zero }.CreateConnectionAsync();
        Channel = await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
    }

    public async Task DisposeAsync()
    {
        await Channel.DisposeAsync();
        await _connection.DisposeAsync();
        await Server.DisposeAsync();
    }

    protected async Task<uint> CountAsync(string queue) => (await Channel.QueueDeclarePassiveAsync(queue)).MessageCount;

    /// <summary>Takes all messages out of a queue; their texts.</summary>
    protected async Task<List<string>> DrainAsync(string queue)
    {
        List<string> texts = [];
        while (await Channel.BasicGetAsync(queue, autoAck: true) is { } got) texts.Add(Encoding.UTF8.GetString(got.Body.Span));
        return texts;
    }

    protected static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
