using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Whole frames, written by hand from the specification.</summary>
internal static class GoldenVectors
{
    public static readonly IReadOnlyDictionary<string, string> Frames = new Dictionary<string, string>
    {
        ["connection.start-ok"] =
            "01 0000 00000035  000A 000B" +
            "  00000011 07'product' 'S' 00000004'test'" + // client-properties
            "  05'PLAIN'  0000000C 00'guest' 00'guest'  05'en_US'  CE",
        ["connection.tune"] = "01 0000 0000000C  000A 001E  07FF 00020000 003C  CE",
        ["connection.open"] = "01 0000 00000008  000A 0028  01'/' 00 00  CE",
        ["connection.close"] = "01 0000 00000012  000A 0032  00C8 07'Goodbye' 0000 0000  CE",
        ["channel.open"] = "01 0001 00000005  0014 000A  00  CE",
        ["queue.declare"] =
            "01 0001 00000029  0032 000A  0000 05'tasks' 12" + // durable and nowait
            "  00000018 0E'x-max-priority' 'l' 000000000000000A  CE",
        ["basic.publish"] = "01 0001 00000011  003C 0028  0000 04'logs' 04'info' 01  CE",
        ["content header"] =
            "02 0001 00000025  003C 0000 000000000000000B  9000" + // content-type and delivery-mode
            "  15'application/x-harrier'  02  CE",
        ["content header without properties"] = "02 0001 0000000E  003C 0000 0000000000000000 0000  CE",
        ["content body"] = "03 0001 0000000B  'Hello World'  CE",
        ["basic.deliver"] = "01 FFFF 0000001A  003C 003C  05'ctag1' 0000000000000007 01 00 05'tasks'  CE",
        ["basic.nack"] = "01 0001 0000000D  003C 0078  FFFFFFFFFFFFFFFF 03  CE",
        ["heartbeat"] = "08 0000 00000000 CE",
    };

    /// <summary>The same as bytes.</summary>
    public static byte[] Frame(string name) => Wire.Bytes(Frames[name]);

    public static TheoryData<string> Names() => [.. Frames.Keys];
}

/// <summary>The golden vectors are what is written, byte for byte, and they mean what they should.</summary>
public sealed class GoldenVectorTests
{
    [Fact]
    public void Connection_start_ok() => AssertWritten("connection.start-ok", 0, new ConnectionStartOk
    {
        ClientProperties = new FieldTableWriter().Add("product", "test").Written,
        Mechanism = "PLAIN"u8,
        Response = "\0guest\0guest"u8,
        Locale = "en_US"u8,
    });

    [Fact]
    public void Connection_tune() =>
        AssertWritten("connection.tune", 0, new ConnectionTune { ChannelMax = 2047, FrameMax = 131_072, Heartbeat = 60 });

    [Fact]
    public void Connection_open() => AssertWritten("connection.open", 0, new ConnectionOpen { VirtualHost = "/"u8 });

    [Fact]
    public void Connection_close() => AssertWritten("connection.close", 0, new ConnectionClose { ReplyCode = 200, ReplyText = "Goodbye"u8 });

    [Fact]
    public void Channel_open() => AssertWritten("channel.open", 1, new ChannelOpen());

    [Fact]
    public void Queue_declare() => AssertWritten("queue.declare", 1, new QueueDeclare
    {
        Queue = "tasks"u8,
        Durable = true,
        Nowait = true,
        Arguments = new FieldTableWriter().Add("x-max-priority", FieldType.SignedLong, [0, 0, 0, 0, 0, 0, 0, 10]).Written,
    });

    [Fact]
    public void Basic_publish() =>
        AssertWritten("basic.publish", 1, new BasicPublish { Exchange = "logs"u8, RoutingKey = "info"u8, Mandatory = true });

    [Fact]
    public void Basic_deliver() => AssertWritten("basic.deliver", ushort.MaxValue, new BasicDeliver
    {
        ConsumerTag = "ctag1"u8,
        DeliveryTag = 7,
        Redelivered = true,
        RoutingKey = "tasks"u8,
    });

    [Fact]
    public void Basic_nack() => AssertWritten("basic.nack", 1, new BasicNack { DeliveryTag = ulong.MaxValue, Multiple = true, Requeue = true });

    [Fact]
    public void Heartbeat()
    {
        byte[] frame = new byte[Frame.Overhead];
        FrameWriter.WriteHeartbeat(frame).ShouldBe(frame.Length);
        frame.ShouldBe(GoldenVectors.Frame("heartbeat"));
    }

    [Fact]
    public void Content_header_is_written()
    {
        byte[] expected = GoldenVectors.Frame("content header");
        byte[] frame = new byte[expected.Length];
        var writer = new WireWriter(frame.AsSpan(Frame.HeaderSize));
        ContentHeader.Write(ref writer, 11, Wire.Bytes("9000 15'application/x-harrier' 02"));
        FrameWriter.Close(frame, FrameType.Header, 1, writer.Position).ShouldBe(frame.Length);
        frame.ShouldBe(expected);
    }

    [Fact]
    public void Content_header_is_read()
    {
        ReadOnlySpan<byte> buffer = GoldenVectors.Frame("content header");
        FrameReader.TryRead(ref buffer, buffer.Length, out Frame frame).ShouldBeTrue();
        frame.Type.ShouldBe(FrameType.Header);
        frame.Channel.ShouldBe((ushort)1);
        ContentHeader header = ContentHeader.Read(frame.Payload);
        header.ClassId.ShouldBe((ushort)60);
        header.BodySize.ShouldBe(11ul);
        var properties = new BasicPropertiesReader(header.Properties);
        AssertProperty(ref properties, BasicPropertyFlags.ContentType, "application/x-harrier"u8);
        AssertProperty(ref properties, BasicPropertyFlags.DeliveryMode, [2]);
        properties.TryRead(out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void Content_body_is_read()
    {
        ReadOnlySpan<byte> buffer = GoldenVectors.Frame("content body");
        FrameReader.TryRead(ref buffer, buffer.Length, out Frame frame).ShouldBeTrue();
        frame.Type.ShouldBe(FrameType.Body);
        frame.Payload.SequenceEqual("Hello World"u8).ShouldBeTrue();
    }

    [Fact]
    public void Queue_declare_arguments_are_read()
    {
        ReadOnlySpan<byte> buffer = GoldenVectors.Frame("queue.declare");
        FrameReader.TryRead(ref buffer, buffer.Length, out Frame frame).ShouldBeTrue();
        QueueDeclare method = QueueDeclare.Decode(frame.Payload[MethodCheck.IdSize..]);
        FieldTableReader.TryFind(method.Arguments, "x-max-priority"u8, out FieldValueBytes priority).ShouldBeTrue();
        priority.AsInteger().ShouldBe(10);
    }

    private static void AssertWritten<TMethod>(string name, ushort channel, TMethod method) where TMethod : IMethod, allows ref struct
    {
        byte[] frame = new byte[FrameWriter.SizeOf(in method)];
        FrameWriter.WriteMethod(frame, channel, in method).ShouldBe(frame.Length);
        frame.ShouldBe(GoldenVectors.Frame(name));
    }

    private static void AssertProperty(ref BasicPropertiesReader reader, BasicPropertyFlags expected, ReadOnlySpan<byte> value)
    {
        reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> read).ShouldBeTrue();
        property.ShouldBe(expected);
        read.SequenceEqual(value).ShouldBeTrue();
    }
}
