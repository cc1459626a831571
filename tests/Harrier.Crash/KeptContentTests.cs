namespace Harrier.Crash;

/// <summary>A message comes back from the disk as it was sent, to the byte.</summary>
public sealed class KeptContentTests : IDisposable
{
    private const string Queue = "kept";

    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Properties_survive_a_kill()
    {
        var sent = new BasicProperties
        {
            ContentType = "text/plain",
            ContentEncoding = "identity",
            Headers = Headers(),
            DeliveryMode = DeliveryModes.Persistent,
            Priority = 7,
            CorrelationId = "correlation",
            ReplyTo = "replies",
            Expiration = "3600000",
            MessageId = "message-Ω",
            Timestamp = new AmqpTimestamp(1_700_000_000),
            Type = "kind",
            UserId = "guest",
            AppId = "crash-tests",
            ClusterId = "cluster",
        };

        BasicGetResult kept = await KeepAsync(sent, "body"u8.ToArray());

        kept.Exchange.ShouldBe("");
        kept.RoutingKey.ShouldBe(Queue);
        IReadOnlyBasicProperties back = kept.BasicProperties;
        (back.ContentType, back.ContentEncoding, back.DeliveryMode, back.Priority).ShouldBe((sent.ContentType, sent.ContentEncoding, sent.DeliveryMode, sent.Priority));
        (back.CorrelationId, back.ReplyTo, back.Expiration, back.MessageId).ShouldBe((sent.CorrelationId, sent.ReplyTo, sent.Expiration, sent.MessageId));
        (back.Timestamp, back.Type, back.UserId, back.AppId, back.ClusterId).ShouldBe((sent.Timestamp, sent.Type, sent.UserId, sent.AppId, sent.ClusterId));
        Flatten(back.Headers!).ShouldBe(Flatten(Headers()));
    }

    [Fact]
    public async Task A_message_without_properties_but_its_persistence_stays_without()
    {
        IReadOnlyBasicProperties back = (await KeepAsync(new BasicProperties { Persistent = true }, "body"u8.ToArray())).BasicProperties;
        back.DeliveryMode.ShouldBe(DeliveryModes.Persistent);
        (back.IsHeadersPresent() || back.IsMessageIdPresent() || back.IsPriorityPresent() || back.IsContentTypePresent() || back.IsTimestampPresent()).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1 << 20)]
    [InlineData(10 << 20)]
    public async Task A_body_survives_a_kill_to_the_byte(int size)
    {
        byte[] body = new byte[size];
        new Random(size).NextBytes(body);
        BasicGetResult kept = await KeepAsync(new BasicProperties { Persistent = true }, body);
        kept.Body.Length.ShouldBe(size);
        kept.Body.Span.SequenceEqual(body).ShouldBeTrue();
    }

    private async Task<BasicGetResult> KeepAsync(BasicProperties properties, byte[] body)
    {
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(_data.Path))
        {
            await using IConnection connection = await broker.ConnectAsync();
            await using IChannel channel = await connection.CreateChannelAsync();
            await channel.TxSelectAsync(); // and no confirms: the client adds a header to messages whose confirms it tracks
            await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
            await channel.BasicPublishAsync("", Queue, mandatory: true, properties, body);
            await channel.TxCommitAsync();
            await broker.KillAsync();
        }
        await using HarrierProcess next = await HarrierProcess.StartAsync(_data.Path);
        await using IConnection reader = await next.ConnectAsync();
        await using IChannel get = await reader.CreateChannelAsync();
        BasicGetResult kept = (await get.BasicGetAsync(Queue, autoAck: true)).ShouldNotBeNull();
        kept.Redelivered.ShouldBeFalse();
        return kept;
    }

    private static Dictionary<string, object?> Headers() => new()
    {
        ["text"] = "grün"u8.ToArray(),
        ["bool"] = true,
        ["byte"] = (sbyte)-3,
        ["short"] = (short)-300,
        ["int"] = -70_000,
        ["long"] = -5_000_000_000L,
        ["float"] = 1.5f,
        ["double"] = 2.25,
        ["decimal"] = 12.34m,
        ["time"] = new AmqpTimestamp(1_600_000_000),
        ["nothing"] = null,
        ["bytes"] = new BinaryTableValue([0, 1, 255]),
        ["list"] = new List<object?> { 1, "two"u8.ToArray(), null },
        ["table"] = new Dictionary<string, object?> { ["inner"] = new Dictionary<string, object?> { ["deep"] = 1L } },
    };

    /// <summary>Values by their paths, so that what is nested can be compared.</summary>
    private static SortedDictionary<string, string> Flatten(IDictionary<string, object?> table)
    {
        var flat = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add("", table);
        return flat;

        void Add(string path, object? value)
        {
            switch (value)
            {
                case IDictionary<string, object?> inner:
                    foreach ((string name, object? item) in inner) Add($"{path}/{name}", item);
                    break;
                case IList<object?> list:
                    for (int i = 0; i < list.Count; i++) Add($"{path}[{i}]", list[i]);
                    break;
                case byte[] bytes: flat.Add(path, $"text {Convert.ToHexString(bytes)}"); break;
                case BinaryTableValue binary: flat.Add(path, $"bytes {Convert.ToHexString(binary.Bytes)}"); break;
                case AmqpTimestamp time: flat.Add(path, $"time {time.UnixTime}"); break;
                case null: flat.Add(path, "null"); break;
                default: flat.Add(path, $"{value.GetType().Name} {value}"); break;
            }
        }
    }
}
