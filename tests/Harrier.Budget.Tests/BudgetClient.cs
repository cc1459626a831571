using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;
using Harrier.Amqp;
using Harrier.Amqp.Transport;
using Harrier.Protocol.Amqp091;

namespace Harrier.Budget.Tests;

/// <summary>A client over in-memory pipes whose own sending and receiving allocate nothing, so that what is counted is the broker's.</summary>
internal sealed class BudgetClient
{
    private const int FrameBytesMax = 131_072;

    private static readonly MemoryPool<byte> Pool = new BlockMemoryPoolFactory().Create(); // as the listener's pipes have

    private readonly Pipe _toBroker = new(new PipeOptions(Pool, pauseWriterThreshold: 256 << 10, resumeWriterThreshold: 128 << 10, useSynchronizationContext: false));
    private readonly Pipe _fromBroker = new(new PipeOptions(Pool, pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 512 << 10, useSynchronizationContext: false));
    private readonly byte[] _ack = new byte[64];
    private ulong _received;

    public static async Task<BudgetClient> ConnectAsync(AmqpServer server)
    {
        var client = new BudgetClient();
        _ = server.ServeAsync(new Duplex(client._toBroker.Reader, client._fromBroker.Writer), null);
        client._toBroker.Writer.Write("AMQP\0\0\u0009\u0001"u8);
        await client._toBroker.Writer.FlushAsync();
        await client.ReceiveMethodAsync(AmqpMethod.ConnectionStart);
        client.Send(0, new ConnectionStartOk { Mechanism = "PLAIN"u8, Response = "\0guest\0guest"u8, Locale = "en_US"u8 });
        await client.CallAsync(0, AmqpMethod.ConnectionTune);
        client.Send(0, new ConnectionTuneOk { ChannelMax = 2047, FrameMax = FrameBytesMax });
        client.Send(0, new ConnectionOpen { VirtualHost = "/"u8 });
        await client.CallAsync(0, AmqpMethod.ConnectionOpenOk);
        client.Send(1, new ChannelOpen());
        await client.CallAsync(1, AmqpMethod.ChannelOpenOk);
        return client;
    }

    public void Send<TMethod>(ushort channel, in TMethod method) where TMethod : IMethod, allows ref struct
    {
        byte[] frame = new byte[FrameWriter.SizeOf(in method)];
        _toBroker.Writer.Write(frame.AsSpan(0, FrameWriter.WriteMethod(frame, channel, in method)));
    }

    /// <summary>Flushes what was sent and waits for the answer.</summary>
    public async Task CallAsync(ushort channel, AmqpMethod answer)
    {
        await _toBroker.Writer.FlushAsync();
        await ReceiveMethodAsync(answer);
    }

    /// <summary>Publishes a batch and waits for its confirms, if there are any.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask PublishAsync(ReadOnlyMemory<byte> batch, int batchMessages, bool confirmed)
    {
        ulong end = _received + (ulong)batchMessages;
        await _toBroker.Writer.WriteAsync(batch);
        while (confirmed && _received < end) await ReceiveAsync(AmqpMethod.BasicAck);
    }

    /// <summary>Receives so many messages, acknowledging every so many of them; 0 for never.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ConsumeAsync(int messages, int ackEvery)
    {
        ulong end = _received + (ulong)messages;
        ulong acked = _received;
        while (_received < end)
        {
            await ReceiveAsync(AmqpMethod.BasicDeliver);
            if (ackEvery == 0 || _received - acked < (ulong)ackEvery) continue;
            for (ulong tag = ackEvery == 1 ? acked + 1 : _received; tag <= _received; tag++)
            {
                int size = FrameWriter.WriteMethod(_ack, 1, new BasicAck { DeliveryTag = tag, Multiple = ackEvery > 1 });
                _ack.AsSpan(0, size).CopyTo(_toBroker.Writer.GetSpan(size));
                _toBroker.Writer.Advance(size);
            }
            acked = _received;
            await _toBroker.Writer.FlushAsync();
        }
    }

    /// <summary>A batch of publish frames, ready to send.</summary>
    public static byte[] Batch(int messages, int bodySize, string exchange, Func<int, string> routingKey, byte[] properties)
    {
        var batch = new ArrayBufferWriter<byte>();
        byte[] frame = new byte[bodySize + 1024];
        for (int i = 0; i < messages; i++)
        {
            var method = new BasicPublish { Exchange = Encoding.UTF8.GetBytes(exchange), RoutingKey = Encoding.UTF8.GetBytes(routingKey(i)) };
            batch.Write(frame.AsSpan(0, FrameWriter.WriteMethod(frame, 1, in method)));
            var writer = new WireWriter(frame.AsSpan(Frame.HeaderSize));
            ContentHeader.Write(ref writer, (ulong)bodySize, properties);
            batch.Write(frame.AsSpan(0, FrameWriter.Close(frame, FrameType.Header, 1, writer.Position)));
            batch.Write(frame.AsSpan(0, FrameWriter.Close(frame, FrameType.Body, 1, bodySize)));
        }
        return batch.WrittenSpan.ToArray();
    }

    private async Task ReceiveMethodAsync(AmqpMethod wanted)
    {
        ulong before = _received;
        while (_received == before) await ReceiveAsync(wanted, countsFrames: true);
        _received = before;
    }

    /// <summary>Takes in what has arrived. Deliveries and confirms are counted by their tag, other methods by their frames.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveAsync(AmqpMethod wanted, bool countsFrames = false)
    {
        ReadResult read = await _fromBroker.Reader.ReadAsync();
        ReadOnlySequence<byte> buffer = read.Buffer;
        while (FrameReader.CompleteSize(buffer, FrameBytesMax) is > 0 and int size)
        {
            Count(buffer.Slice(0, size), wanted, countsFrames);
            buffer = buffer.Slice(size);
        }
        _fromBroker.Reader.AdvanceTo(buffer.Start, buffer.End);
        if (read.IsCompleted) throw new InvalidOperationException("the broker closed the connection");
    }

    private void Count(ReadOnlySequence<byte> frame, AmqpMethod wanted, bool countsFrames)
    {
        Span<byte> start = stackalloc byte[Math.Min(300, (int)frame.Length)];
        frame.Slice(0, start.Length).CopyTo(start);
        if (start[0] != (byte)FrameType.Method) return;
        var reader = new WireReader(start[Frame.HeaderSize..]);
        var method = (AmqpMethod)reader.ReadLong();
        if (method is AmqpMethod.ChannelClose or AmqpMethod.ConnectionClose)
            throw new InvalidOperationException(Encoding.UTF8.GetString(start));
        if (method != wanted) return;
        if (countsFrames) _received++;
        else if (method == AmqpMethod.BasicDeliver) _received = BasicDeliver.Decode(reader.Rest).DeliveryTag;
        else _received = BasicAck.Decode(reader.Rest).DeliveryTag;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
