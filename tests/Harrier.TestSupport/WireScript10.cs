using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>
/// A client of AMQP 1.0 that does on the wire exactly what its test says, and fails when the server does anything else than is expected. It counts what
/// it sends and receives, so that its flows are right unless the test wants them wrong. Owned by one test.
/// </summary>
public sealed class WireScript10(MemoryTransport transport, Task served) : WireClient(transport, served)
{
    private readonly Dictionary<ushort, uint> _nextIncomingIds = [];
    private readonly Dictionary<ushort, uint> _nextDeliveryIds = [];
    private readonly Dictionary<(ushort Channel, uint Handle), uint> _deliveryCounts = [];

    /// <summary>The header with which AMQP begins.</summary>
    public static byte[] ProtocolHeader => "AMQP\0\u0001\0\0"u8.ToArray();

    /// <summary>The header with which SASL begins.</summary>
    public static byte[] SaslHeader => "AMQP\u0003\u0001\0\0"u8.ToArray();

    /// <summary>Octets of the largest frame that the server may send: it fails when it sends a larger one.</summary>
    public uint FrameBytesMax { get; set; } = Frame10.SizeMin;

    /// <summary>The incoming window that flows tell.</summary>
    public uint IncomingWindow { get; set; } = 2048;

    /// <summary>Sends a performative, and what stands behind it.</summary>
    public Task Send<T>(in T performative, ushort channel = 1, byte[]? payload = null) where T : IComposite, allows ref struct =>
        Send(new Frames10().Add(in performative, channel, payload));

    public Task Send(Frames10 frames) => SendBytes(frames.Bytes);

    /// <summary>Sends a session's flow that tells what has been received, and of a link what it may get.</summary>
    public Task SendFlow(uint? handle = null, uint? credit = null, bool drain = false, bool echo = false, ushort channel = 1) => Send(new Flow
    {
        NextIncomingId = _nextIncomingIds.GetValueOrDefault(channel),
        IncomingWindow = IncomingWindow,
        NextOutgoingId = 0,
        OutgoingWindow = int.MaxValue,
        Handle = handle,
        DeliveryCount = handle is { } link ? _deliveryCounts.GetValueOrDefault((channel, link)) : null,
        LinkCredit = credit,
        Drain = drain,
        Echo = echo,
    }, channel);

    /// <summary>The id of the next delivery to be sent in a session.</summary>
    public uint NextDeliveryId(ushort channel = 1)
    {
        uint id = _nextDeliveryIds.GetValueOrDefault(channel);
        _nextDeliveryIds[channel] = id + 1;
        return id;
    }

    /// <summary>The next frame, or null at the end of the stream.</summary>
    public async Task<WireFrame10?> Receive()
    {
        while (true)
        {
            ReadResult read = await ReadAsync();
            if (TryTake(read.Buffer, out WireFrame10? frame))
            {
                Input.AdvanceTo(read.Buffer.GetPosition(frame.Size));
                Count(frame);
                return frame;
            }
            bool isEmpty = read.Buffer.IsEmpty;
            Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (!read.IsCompleted) continue;
            return isEmpty ? null : throw new WireScriptException("The stream ended in the middle of a frame.");
        }
    }

    /// <summary>Expects a protocol header.</summary>
    public async Task ExpectHeader(byte[] header)
    {
        while (true)
        {
            ReadResult read = await ReadAsync();
            if (read.Buffer.Length >= header.Length)
            {
                byte[] received = read.Buffer.Slice(0, header.Length).ToArray();
                Input.AdvanceTo(read.Buffer.GetPosition(header.Length));
                if (received.AsSpan().SequenceEqual(header)) return;
                throw new WireScriptException($"Expected the header {Convert.ToHexString(header)}, but got {Convert.ToHexString(received)}.");
            }
            Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) throw new WireScriptException($"Expected the header {Convert.ToHexString(header)}, but the stream has ended.");
        }
    }

    /// <summary>Expects one of the records of a performative on that channel as the next frame.</summary>
    public async Task<T> Expect<T>(ushort channel = 1) where T : class => (T)(await ExpectFrame<T>(channel)).Performative;

    /// <summary>Expects it, and answers the whole frame.</summary>
    public async Task<WireFrame10> ExpectFrame<T>(ushort channel = 1) where T : class
    {
        WireFrame10 frame = await Receive() ?? throw new WireScriptException($"Expected {typeof(T).Name}, but the stream has ended.");
        if (frame.Performative is T && frame.Channel == channel) return frame;
        throw new WireScriptException($"Expected {typeof(T).Name} on channel {channel}, but got {frame}.");
    }

    /// <summary>Expects the end of the stream.</summary>
    public async Task ExpectEndOfStream()
    {
        if (await Receive() is { } frame) throw new WireScriptException($"Expected the end of the stream, but got {frame}.");
    }

    /// <summary>What frames say.</summary>
    public static string Describe(Frames10 frames)
    {
        byte[] bytes = frames.Bytes;
        return $"{WireDecoder10.Decode(bytes.AsSpan(Frame10.HeaderSize, (int)BinaryPrimitives.ReadUInt32BigEndian(bytes) - Frame10.HeaderSize))}";
    }

    private bool TryTake(in ReadOnlySequence<byte> buffer, [NotNullWhen(true)] out WireFrame10? frame)
    {
        frame = null;
        if (buffer.Length < Frame10.HeaderSize) return false;
        byte[] header = buffer.Slice(0, Frame10.HeaderSize).ToArray();
        uint size = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (size > FrameBytesMax) throw new WireScriptException($"The server sent a frame of {size} bytes to a client that takes {FrameBytesMax}.");
        if (header[4] != Frame10.HeaderSize / 4) throw new WireScriptException($"The server sent a frame with the data offset {header[4]}.");
        if (buffer.Length < size) return false;
        object performative = WireDecoder10.Decode(buffer.Slice(Frame10.HeaderSize, size - Frame10.HeaderSize).ToArray());
        frame = new WireFrame10((FrameType10)header[5], BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(6)), performative, (int)size);
        return true;
    }

    private void Count(WireFrame10 frame)
    {
        ushort channel = frame.Channel;
        switch (frame.Performative)
        {
            case WireBegin begin: _nextIncomingIds[channel] = begin.NextOutgoingId; break;
            case WireAttach attach: _deliveryCounts[(channel, attach.Handle)] = attach.InitialDeliveryCount ?? 0; break;
            case WireFlow { Handle: { } handle, DeliveryCount: { } count }: _deliveryCounts[(channel, handle)] = count; break;
            case WireTransfer transfer:
                _nextIncomingIds[channel]++;
                if (transfer.DeliveryId is not null) _deliveryCounts[(channel, transfer.Handle)]++;
                break;
        }
    }
}
