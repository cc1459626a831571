using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Harrier.Amqp.Transport;

/// <summary>The 8 octets with which a peer says what it speaks (0-9-1 section 4.2.2).</summary>
internal static class ProtocolHeader
{
    private const int Size = 8;

    private static ReadOnlySpan<byte> Amqp091 => "AMQP\0\0\u0009\u0001"u8;

    // What 0-9 clients send; RabbitMQ takes it for 0-9-1 (behaviour section 1.1).
    private static ReadOnlySpan<byte> Amqp09 => "AMQP\u0001\u0001\0\u0009"u8;

    /// <summary>
    /// Reads the header. A peer that speaks anything else is told what is spoken here, and is not to be served; nor is one that sends nothing in time.
    /// </summary>
    public static async Task<bool> NegotiateAsync(IDuplexPipe transport, AmqpServer server, EndPoint? from)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(server.Limits.HandshakeTimeoutMs), server.Time);
        try
        {
            ReadResult read = await transport.Input.ReadAtLeastAsync(Size, late.Token);
            byte[] header = read.Buffer.Slice(0, Math.Min(Size, read.Buffer.Length)).ToArray();
            bool isSpoken = header.AsSpan().SequenceEqual(Amqp091) || header.AsSpan().SequenceEqual(Amqp09);
            transport.Input.AdvanceTo(read.Buffer.GetPosition(isSpoken ? Size : 0));
            if (isSpoken) return true;
            if (header.Length == 0) return false; // a port check: connected and gone
            server.Log.WrongProtocol(from?.ToString(), Convert.ToHexString(header));
            await transport.Output.WriteAsync(Amqp091.ToArray(), late.Token);
            return false;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
