using System.Security.Cryptography;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Interop.Tests;

[Collection(InteropCollection.Name)]
public sealed class Limits(BrokerUnderTest broker)
{
    [Fact]
    public async Task Bodies_of_all_sizes_come_back_equal()
    {
        const int frameMax = 8192;
        await using var session = await Session.OpenAsync(broker, factory => factory.RequestedFrameMax = frameMax);
        session.Connection.FrameMax.ShouldBe((uint)frameMax);
        await RoundTripAsync(session, 0, 1, frameMax - 8, frameMax - 7, 2 * frameMax);
    }

    [Fact]
    public async Task A_body_of_10_MiB_comes_back_equal()
    {
        await using var session = await Session.OpenAsync(broker);
        await RoundTripAsync(session, 10 * 1024 * 1024);
    }

    [Fact]
    public async Task Properties_come_back_equal()
    {
        await using var session = await Session.OpenAsync(broker);
        var sent = new BasicProperties
        {
            ContentType = "text/plain",
            ContentEncoding = "utf-8",
            DeliveryMode = DeliveryModes.Persistent,
            Priority = 7,
            CorrelationId = "correlation ☃",
            ReplyTo = "reply",
            MessageId = new string('m', 255),
            Timestamp = new AmqpTimestamp(1_700_000_000),
            Type = "type",
            UserId = broker.Uri.UserInfo.Split(':')[0],
            AppId = "app",
        };
        var got = await RoundTripAsync(session, sent);
        got.ContentType.ShouldBe(sent.ContentType);
        got.ContentEncoding.ShouldBe(sent.ContentEncoding);
        got.DeliveryMode.ShouldBe(sent.DeliveryMode);
        got.Priority.ShouldBe(sent.Priority);
        got.CorrelationId.ShouldBe(sent.CorrelationId);
        got.ReplyTo.ShouldBe(sent.ReplyTo);
        got.MessageId.ShouldBe(sent.MessageId);
        got.Timestamp.ShouldBe(sent.Timestamp);
        got.Type.ShouldBe(sent.Type);
        got.UserId.ShouldBe(sent.UserId);
        got.AppId.ShouldBe(sent.AppId);
        got.IsHeadersPresent().ShouldBeFalse();
    }

    [Fact]
    public async Task Header_types_come_back_equal()
    {
        await using var session = await Session.OpenAsync(broker);
        var sent = new Dictionary<string, object?>
        {
            // A byte[] is how this client sends and gets a long string.
            ["string"] = "text"u8.ToArray(),
            ["binary"] = new BinaryTableValue([0, 255]),
            ["true"] = true,
            ["signed octet"] = (sbyte)-100,
            ["octet"] = (byte)200,
            ["short"] = (short)-30000,
            ["unsigned short"] = (ushort)60000,
            ["int"] = int.MinValue,
            ["unsigned int"] = uint.MaxValue,
            ["long"] = long.MinValue,
            ["float"] = 1.5f,
            ["double"] = 0.1,
            ["decimal"] = 3.14m,
            ["timestamp"] = new AmqpTimestamp(1_700_000_000),
            ["void"] = null,
            ["table"] = new Dictionary<string, object?> { ["nested"] = new Dictionary<string, object?> { ["deep"] = 1 } },
            ["array"] = new List<object?> { 1, "two"u8.ToArray(), new List<object?> { 3.5 } },
        };
        var got = (await RoundTripAsync(session, new BasicProperties { Headers = sent })).Headers!;
        Describe(got).ShouldBe(Describe(sent));
    }

    [Fact]
    public async Task A_connection_holds_a_thousand_channels()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync();
        for (var i = 0; i < 1000; i++)
        {
            var channel = await session.NewChannelAsync();
            await channel.BasicPublishAsync("", queue, "x"u8.ToArray());
        }

        await session.ShouldBecomeReadyAsync(queue, 1000);
    }

    [Fact]
    public async Task A_wrong_password_is_told()
    {
        var error = await Should.ThrowAsync<BrokerUnreachableException>(
            Session.OpenAsync(broker, factory => factory.Password = "wrong"));
        error.InnerException.ShouldBeAssignableTo<PossibleAuthenticationFailureException>();
    }

    [Fact]
    public async Task An_unknown_virtual_host_is_told()
    {
        var error = await Should.ThrowAsync<OperationInterruptedException>(
            Session.OpenAsync(broker, factory => factory.VirtualHost = Session.Unique("vhost")));
        error.ShutdownReason!.ReplyCode.ShouldBe((ushort)530);
    }

    [Fact]
    public async Task The_broker_answers_the_close_of_a_connection()
    {
        await using var session = await Session.OpenAsync(broker);
        await session.Connection.CloseAsync(TimeSpan.FromSeconds(5));
        session.Connection.IsOpen.ShouldBeFalse();
        session.Connection.CloseReason!.Initiator.ShouldBe(ShutdownInitiator.Application);
    }

    private static async Task RoundTripAsync(Session session, params int[] sizes)
    {
        var queue = await session.QueueAsync();
        foreach (var size in sizes)
        {
            var body = RandomNumberGenerator.GetBytes(size);
            await session.Channel.BasicPublishAsync("", queue, body);
            var got = (await session.Channel.BasicGetAsync(queue, autoAck: true))!.Body;
            got.Span.SequenceEqual(body).ShouldBeTrue($"A body of {size} bytes came back changed, with {got.Length} bytes.");
        }
    }

    /// <summary>The value with its type as text: tables come back as other dictionaries than were sent.</summary>
    private static string Describe(object? value) => value switch
    {
        null => "void",
        byte[] bytes => $"string {Convert.ToHexString(bytes)}",
        BinaryTableValue binary => $"binary {Convert.ToHexString(binary.Bytes)}",
        IDictionary<string, object?> table =>
            $"{{{string.Join(", ", table.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {Describe(pair.Value)}"))}}}",
        IList<object?> list => $"[{string.Join(", ", list.Select(Describe))}]",
        _ => $"{value.GetType().Name} {value}",
    };

    private static async Task<IReadOnlyBasicProperties> RoundTripAsync(Session session, BasicProperties properties)
    {
        var queue = await session.QueueAsync();
        await session.Channel.BasicPublishAsync("", queue, mandatory: false, properties, "x"u8.ToArray());
        return (await session.Channel.BasicGetAsync(queue, autoAck: true))!.BasicProperties;
    }
}
