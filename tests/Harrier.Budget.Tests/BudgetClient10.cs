using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Harrier.Amqp;
using Harrier.Amqp.Transport;
using Harrier.Protocol.Amqp10;

namespace Harrier.Budget.Tests;

/// <summary>A client of 1.0 over in-memory pipes whose own sending and receiving allocate nothing, so that what is counted is the broker's.</summary>
internal sealed class BudgetClient10
{
    private const int FrameBytesMax = 131_072;

    // Where the delivery id stands in a transfer that Batch makes: frame header, descriptor, list8 head, handle, the id's constructor.
    private const int DeliveryIdAt = Frame10.HeaderSize + 3 + 3 + 1 + 1;

    private static readonly MemoryPool<byte> Pool = new BlockMemoryPoolFactory().Create(); // as the listener's pipes have

    private readonly Pipe _toBroker = new(new PipeOptions(Pool, pauseWriterThreshold: 256 << 10, resumeWriterThreshold: 128 << 10, useSynchronizationContext: false));
    private readonly Pipe _fromBroker = new(new PipeOptions(Pool, pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 512 << 10, useSynchronizationContext: false));
    private readonly byte[] _frame = new byte[256];
    private ulong _transfers;
    private ulong _settled;
    private uint _lastDeliveryId;
    private uint _nextDeliveryId = 100_000; // always of four bytes
    private int _frames;
    private ulong _lastPerformative;

    public static async Task<BudgetClient10> ConnectAsync(AmqpServer server)
    {
        var client = new BudgetClient10();
        _ = server.ServeAsync(new Duplex(client._toBroker.Reader, client._fromBroker.Writer), null);
        client._toBroker.Writer.Write("AMQP\u0003\u0001\0\0"u8);
        client.Send(0, new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 }, FrameType10.Sasl);
        await client._toBroker.Writer.FlushAsync();
        await client.SkipAsync(8);
        await client.ReceiveUntilAsync(SaslOutcome.Code);
        client._toBroker.Writer.Write("AMQP\0\u0001\0\0"u8);
        await client._toBroker.Writer.FlushAsync();
        await client.SkipAsync(8);
        client.Send(0, new Open { ContainerId = "budget"u8, MaxFrameSize = FrameBytesMax });
        client.Send(0, new Begin { NextOutgoingId = 0, IncomingWindow = int.MaxValue, OutgoingWindow = int.MaxValue });
        await client._toBroker.Writer.FlushAsync();
        await client.ReceiveUntilAsync(Begin.Code);
        return client;
    }

    /// <summary>Attaches link 0 to a queue, or from it with credit for all that may come.</summary>
    public async Task AttachAsync(string queue, bool isSender, bool settled)
    {
        byte[] address = new byte[128];
        var writer = new ValueWriter(address);
        writer.WriteString(Encoding.UTF8.GetBytes("/queues/" + queue));
        ReadOnlyMemory<byte> encoded = address.AsMemory(0, writer.Size);
        SenderSettleMode mode = settled ? SenderSettleMode.Settled : SenderSettleMode.Unsettled;
        if (isSender)
        {
            byte[] target = Encode(new Target { Address = encoded.Span });
            Send(0, new Attach { Name = "to"u8, Role = Role.Sender, SndSettleMode = mode, Target = target, Source = Encode(new Source()), InitialDeliveryCount = 0 });
            await _toBroker.Writer.FlushAsync();
            await ReceiveUntilAsync(Flow.Code);
            return;
        }
        byte[] source = Encode(new Source { Address = encoded.Span });
        Send(0, new Attach { Name = "from"u8, Role = Role.Receiver, SndSettleMode = mode, Source = source, Target = Encode(new Target()) });
        await _toBroker.Writer.FlushAsync();
        await ReceiveUntilAsync(Attach.Code);
        Send(0, new Flow { NextIncomingId = 0, IncomingWindow = int.MaxValue, NextOutgoingId = 0, OutgoingWindow = int.MaxValue, Handle = 0, DeliveryCount = 0, LinkCredit = int.MaxValue });
        await _toBroker.Writer.FlushAsync();
    }

    /// <summary>Begins further sessions and attaches that many links in each, by turns to a queue and from it, without credit.</summary>
    public async Task AttachIdleAsync(string queue, int sessions, int linksPerSession)
    {
        byte[] room = new byte[128];
        var writer = new ValueWriter(room);
        writer.WriteString(Encoding.UTF8.GetBytes("/queues/" + queue));
        byte[] address = room[..writer.Size];
        for (ushort channel = 1; channel <= sessions; channel++)
        {
            Send(channel, new Begin { NextOutgoingId = 0, IncomingWindow = 1000, OutgoingWindow = 1000 });
            for (uint handle = 0; handle < linksPerSession; handle++)
            {
                bool isSender = handle % 2 == 0;
                Send(channel, new Attach
                {
                    Name = Encoding.UTF8.GetBytes($"{channel}/{handle}"),
                    Handle = handle,
                    Role = isSender ? Role.Sender : Role.Receiver,
                    Source = isSender ? Encode(new Source()) : Encode(new Source { Address = address }),
                    Target = isSender ? Encode(new Target { Address = address }) : Encode(new Target()),
                    InitialDeliveryCount = isSender ? 0 : null,
                });
            }
            await _toBroker.Writer.FlushAsync();
            for (int left = linksPerSession; left > 0; left--) await ReceiveUntilAsync(Attach.Code);
        }
    }

    /// <summary>A batch of transfers, ready to send once their ids are set.</summary>
    public static byte[] Batch(int messages, int bodySize, bool settled)
    {
        byte[] message = new byte[bodySize + 16];
        var writer = new ValueWriter(message);
        writer.WriteDescriptor(Descriptors.Data);
        writer.WriteBinaryHead(bodySize);
        int size = writer.Size + bodySize;
        var batch = new ArrayBufferWriter<byte>();
        byte[] frame = new byte[size + 256];
        for (int i = 0; i < messages; i++)
        {
            var encoder = new ValueWriter(frame.AsSpan(Frame10.HeaderSize));
            new Transfer { Handle = 0, DeliveryId = 100_000, DeliveryTag = "tag"u8, MessageFormat = 0, Settled = settled }.Write(ref encoder);
            int head = Frame10.HeaderSize + encoder.Size;
            message.AsSpan(0, size).CopyTo(frame.AsSpan(head));
            WriteHeader(frame, head + size, 0, FrameType10.Amqp);
            batch.Write(frame.AsSpan(0, head + size));
        }
        return batch.WrittenSpan.ToArray();
    }

    /// <summary>Publishes a batch, of transfers of one size, and waits for their settlement unless they are settled.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask PublishAsync(byte[] batch, int messages, bool settled)
    {
        int size = batch.Length / messages;
        for (int i = 0; i < messages; i++) BinaryPrimitives.WriteUInt32BigEndian(batch.AsSpan(i * size + DeliveryIdAt), _nextDeliveryId++);
        ulong end = _settled + (ulong)messages;
        await _toBroker.Writer.WriteAsync(batch);
        while (!settled && _settled < end) await ReceiveAsync();
    }

    /// <summary>Receives so many messages, accepting every so many of them; 0 for never.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ConsumeAsync(int messages, int acceptEvery)
    {
        ulong end = _transfers + (ulong)messages;
        uint accepted = _lastDeliveryId;
        while (_transfers < end)
        {
            await ReceiveAsync();
            if (acceptEvery == 0 || _lastDeliveryId - accepted < (uint)acceptEvery) continue;
            SendAccepted(accepted + 1, _lastDeliveryId);
            accepted = _lastDeliveryId;
            await _toBroker.Writer.FlushAsync();
        }
    }

    private void SendAccepted(uint first, uint last)
    {
        ReadOnlySpan<byte> accepted = [0x00, 0x53, 0x24, 0x45];
        Send(0, new Disposition { Role = Role.Receiver, First = first, Last = last, Settled = true, State = accepted });
    }

    private void Send<T>(ushort channel, in T performative, FrameType10 type = FrameType10.Amqp) where T : IComposite, allows ref struct
    {
        var writer = new ValueWriter(_frame.AsSpan(Frame10.HeaderSize));
        performative.Write(ref writer);
        WriteHeader(_frame, Frame10.HeaderSize + writer.Size, channel, type);
        _toBroker.Writer.Write(_frame.AsSpan(0, Frame10.HeaderSize + writer.Size));
    }

    private static void WriteHeader(Span<byte> to, int size, ushort channel, FrameType10 type)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, size);
        (to[4], to[5]) = (Frame10.HeaderSize / 4, (byte)type);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], channel);
    }

    private static byte[] Encode<T>(in T composite) where T : IComposite, allows ref struct
    {
        byte[] bytes = new byte[composite.SizeMax];
        var writer = new ValueWriter(bytes);
        composite.Write(ref writer);
        return bytes[..writer.Size];
    }

    private async Task SkipAsync(int count)
    {
        ReadResult read = await _fromBroker.Reader.ReadAtLeastAsync(count);
        _fromBroker.Reader.AdvanceTo(read.Buffer.GetPosition(count));
    }

    private async Task ReceiveUntilAsync(ulong performative)
    {
        _lastPerformative = 0;
        while (_lastPerformative != performative) await ReceiveAsync(stopAt: performative);
    }

    /// <summary>Takes in what has arrived, or as far as a performative.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveAsync(ulong stopAt = 0)
    {
        ReadResult read = await _fromBroker.Reader.ReadAsync();
        ReadOnlySequence<byte> buffer = read.Buffer;
        while (FrameReader10.CompleteSize(buffer, FrameBytesMax) is > 0 and int size)
        {
            Count(buffer.Slice(0, size));
            buffer = buffer.Slice(size);
            if (stopAt != 0 && _lastPerformative == stopAt) break;
        }
        _fromBroker.Reader.AdvanceTo(buffer.Start, stopAt != 0 && _lastPerformative == stopAt ? buffer.Start : buffer.End);
        if (read.IsCompleted) throw new InvalidOperationException("the broker closed the connection");
    }

    private void Count(ReadOnlySequence<byte> frame)
    {
        Span<byte> start = stackalloc byte[Math.Min(300, (int)frame.Length)];
        frame.Slice(0, start.Length).CopyTo(start);
        if (start.Length == Frame10.HeaderSize) return;
        var reader = new ValueReader(start[Frame10.HeaderSize..]);
        _frames++;
        _lastPerformative = reader.ReadDescriptor();
        switch (_lastPerformative)
        {
            case Transfer.Code:
                _lastDeliveryId = Transfer.Decode(ref reader).DeliveryId!.Value;
                _transfers++;
                break;
            case Disposition.Code:
                Disposition disposition = Disposition.Decode(ref reader);
                _settled += (disposition.Last ?? disposition.First) - disposition.First + 1;
                break;
            case Close.Code or End.Code or Detach.Code: throw new InvalidOperationException(Encoding.UTF8.GetString(start));
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
