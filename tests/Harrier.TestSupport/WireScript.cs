using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>
/// A client that does on the wire exactly what its test says, and fails when the server does anything else than is expected. Expectations wait for
/// the next frame or the end of the stream; the time-out is only a safety net. Owned by one test.
/// </summary>
public sealed class WireScript(MemoryTransport transport, Task served) : WireClient(transport, served)
{
    /// <summary>The protocol header of 0-9-1.</summary>
    public static byte[] ProtocolHeader => "AMQP\0\0\u0009\u0001"u8.ToArray();

    // Sending. Everything here ends when the server has looked at all of it.

    /// <summary>Sends a method.</summary>
    public Task Send<TMethod>(in TMethod method, ushort channel = 1) where TMethod : IMethod, allows ref struct =>
        Send(new Frames().Method(in method, channel));

    public Task Send(Frames frames) => SendBytes(frames.Bytes);

    /// <summary>Publishes a message.</summary>
    public Task Publish(string exchange, string routingKey, string body, byte[]? properties = null, bool mandatory = false, ushort channel = 1) =>
        Send(new Frames().Publish(exchange, routingKey, body, properties, mandatory, channel));

    // Receiving

    /// <summary>The next frame, or null at the end of the stream.</summary>
    public async Task<WireFrame?> Receive()
    {
        while (true)
        {
            ReadResult read = await ReadAsync();
            if (TryTake(read.Buffer, out WireFrame? frame))
            {
                Input.AdvanceTo(read.Buffer.GetPosition(frame.Size));
                return frame;
            }
            bool isEmpty = read.Buffer.IsEmpty;
            Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (!read.IsCompleted) continue;
            return isEmpty ? null : throw new WireScriptException("The stream ended in the middle of a frame.");
        }
    }

    /// <summary>Expects that method on that channel as the next frame.</summary>
    public async Task<WireFrame> Expect(AmqpMethod method, ushort channel = 1)
    {
        WireFrame frame = await Receive() ?? throw new WireScriptException($"Expected {MethodCatalogue.NameOf(method)}, but the stream has ended.");
        if (frame.Method != method || frame.Channel != channel)
            throw new WireScriptException($"Expected {MethodCatalogue.NameOf(method)} on channel {channel}, but got {frame}.");
        return frame;
    }

    /// <summary>Expects a frame of another type.</summary>
    public async Task<WireFrame> Expect(FrameType type, ushort channel)
    {
        WireFrame frame = await Receive() ?? throw new WireScriptException($"Expected a {type} frame, but the stream has ended.");
        return frame.Type == type && frame.Channel == channel
            ? frame
            : throw new WireScriptException($"Expected a {type} frame on channel {channel}, but got {frame}.");
    }

    /// <summary>Sends a method and expects that answer next.</summary>
    public Task<WireFrame> Call<TMethod>(in TMethod method, AmqpMethod answer, ushort channel = 1) where TMethod : IMethod, allows ref struct
    {
        Task sent = Send(in method, channel);
        return AnswerTo(sent, answer, channel);
    }

    /// <summary>Expects the end of the stream.</summary>
    public async Task ExpectEnd()
    {
        if (await Receive() is { } frame) throw new WireScriptException($"Expected the end of the stream, but got {frame}.");
    }

    /// <summary>
    /// Expects that the server has nothing to say: asks it something harmless on the channel and expects the answer to that as the next frame.
    /// </summary>
    public async Task ExpectQuiet(ushort channel = 1) => await Call(new ChannelFlow { Active = true }, AmqpMethod.ChannelFlowOk, channel);

    /// <summary>Expects channel.close, answers it, opens the channel again, and expects that it works.</summary>
    public async Task ExpectChannelClose(int code, string text, int classId, int methodId, ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.ChannelClose, channel);
        AssertClose(frame, code, text, classId, methodId);
        await Send(new ChannelCloseOk(), channel);
        await this.OpenChannel(channel);
        await ExpectQuiet(channel);
    }

    /// <summary>Expects connection.close, answers it, and expects the end of the stream.</summary>
    public async Task ExpectConnectionClose(int code, string text, int classId, int methodId)
    {
        WireFrame frame = await Expect(AmqpMethod.ConnectionClose, 0);
        AssertClose(frame, code, text, classId, methodId);
        await Send(new ConnectionCloseOk(), 0);
        await ExpectEnd();
    }

    /// <summary>Expects connection.close with a text that contains that part, whatever method it blames; answers it and expects the end.</summary>
    public async Task ExpectConnectionCloseLike(int code, string textPart)
    {
        WireFrame frame = await Expect(AmqpMethod.ConnectionClose, 0);
        AssertLike(frame, code, textPart);
        await Send(new ConnectionCloseOk(), 0);
        await ExpectEnd();
    }

    /// <summary>Expects a message by basic.deliver.</summary>
    public async Task<WireContent> ExpectDelivery(ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.BasicDeliver, channel);
        return await ReceiveContent(Decode(BasicDeliver.Decode(frame.Arguments)), channel);
    }

    /// <summary>Expects a message by basic.get-ok.</summary>
    public async Task<WireContent> ExpectGetOk(ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.BasicGetOk, channel);
        return await ReceiveContent(Decode(BasicGetOk.Decode(frame.Arguments)), channel);
    }

    /// <summary>Expects a message by basic.return.</summary>
    public async Task<WireContent> ExpectReturn(ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.BasicReturn, channel);
        return await ReceiveContent(Decode(BasicReturn.Decode(frame.Arguments)), channel);
    }

    /// <summary>Expects a confirm by basic.ack.</summary>
    public async Task<(ulong Tag, bool Multiple)> ExpectAck(ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.BasicAck, channel);
        BasicAck ack = BasicAck.Decode(frame.Arguments);
        return (ack.DeliveryTag, ack.Multiple);
    }

    /// <summary>Expects a publication to be refused by basic.nack.</summary>
    public async Task<(ulong Tag, bool Multiple)> ExpectNack(ushort channel = 1)
    {
        WireFrame frame = await Expect(AmqpMethod.BasicNack, channel);
        BasicNack nack = BasicNack.Decode(frame.Arguments);
        return (nack.DeliveryTag, nack.Multiple);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<WireFrame> AnswerTo(Task sent, AmqpMethod answer, ushort channel)
    {
        await sent;
        return await Expect(answer, channel);
    }

    private async Task<WireContent> ReceiveContent(WireContent content, ushort channel)
    {
        WireFrame header = await Expect(FrameType.Header, channel);
        (ulong size, byte[] properties) = DecodeHeader(header.Payload);
        var body = new List<byte>();
        var sizes = new List<int>();
        while ((ulong)body.Count < size)
        {
            WireFrame part = await Expect(FrameType.Body, channel);
            body.AddRange(part.Payload);
            sizes.Add(part.Size);
        }
        return content with { Properties = properties, Body = [.. body], BodyFrameSizes = sizes };
    }

    private static bool TryTake(in ReadOnlySequence<byte> buffer, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out WireFrame? frame)
    {
        frame = null;
        if (buffer.Length < Frame.Overhead) return false;
        byte[] head = buffer.Slice(0, Frame.HeaderSize).ToArray();
        int size = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(3));
        if (buffer.Length < size + Frame.Overhead) return false;
        byte[] rest = buffer.Slice(Frame.HeaderSize, size + 1).ToArray();
        if (rest[^1] != Frame.End) throw new WireScriptException("The server sent a frame without its end octet.");
        frame = new WireFrame((FrameType)head[0], BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1)), rest[..^1]);
        return true;
    }

    private static void AssertClose(WireFrame frame, int code, string text, int classId, int methodId)
    {
        ChannelClose close = ChannelClose.Decode(frame.Arguments); // connection.close has the same arguments
        bool isText = Encoding.UTF8.GetString(close.ReplyText) == text;
        if (close.ReplyCode == code && isText && close.ClassId == classId && close.MethodId == methodId) return;
        throw new WireScriptException($"Expected {code} {text} ({classId}, {methodId}), but got {frame}.");
    }

    private static void AssertLike(WireFrame frame, int code, string textPart)
    {
        ChannelClose close = ChannelClose.Decode(frame.Arguments);
        string text = Encoding.UTF8.GetString(close.ReplyText);
        if (close.ReplyCode == code && text.Contains(textPart, StringComparison.Ordinal)) return;
        throw new WireScriptException($"Expected {code} with '{textPart}', but got {frame}.");
    }

    private static (ulong Size, byte[] Properties) DecodeHeader(byte[] payload)
    {
        ContentHeader header = ContentHeader.Read(payload);
        return (header.BodySize, header.Properties.ToArray());
    }

    private static WireContent Decode(BasicDeliver method) => new()
    {
        ConsumerTag = Encoding.UTF8.GetString(method.ConsumerTag),
        DeliveryTag = method.DeliveryTag,
        Redelivered = method.Redelivered,
        Exchange = Encoding.UTF8.GetString(method.Exchange),
        RoutingKey = Encoding.UTF8.GetString(method.RoutingKey),
    };

    private static WireContent Decode(BasicGetOk method) => new()
    {
        DeliveryTag = method.DeliveryTag,
        Redelivered = method.Redelivered,
        Exchange = Encoding.UTF8.GetString(method.Exchange),
        RoutingKey = Encoding.UTF8.GetString(method.RoutingKey),
        MessageCount = method.MessageCount,
    };

    private static WireContent Decode(BasicReturn method) => new()
    {
        ReplyCode = method.ReplyCode,
        ReplyText = Encoding.UTF8.GetString(method.ReplyText),
        Exchange = Encoding.UTF8.GetString(method.Exchange),
        RoutingKey = Encoding.UTF8.GetString(method.RoutingKey),
    };
}
