using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Harrier.Amqp.Transport;

/// <summary>What a peer says that it speaks.</summary>
internal enum PeerProtocol
{
    /// <summary>Nothing that is spoken here, or nothing at all.</summary>
    None,
    V091,
    V10,

    /// <summary>1.0 with SASL before it.</summary>
    V10WithSasl,
}

/// <summary>The 8 octets with which a peer says what it speaks (0-9-1 section 4.2.2, 1.0 part 2, section 2.2).</summary>
internal static class ProtocolHeader
{
    public const int Size = 8;

    public static ReadOnlySpan<byte> Amqp10 => "AMQP\0\u0001\0\0"u8;

    public static ReadOnlySpan<byte> Sasl10 => "AMQP\u0003\u0001\0\0"u8;

    private static ReadOnlySpan<byte> Amqp091 => "AMQP\0\0\u0009\u0001"u8;

    // What 0-9 clients send; RabbitMQ takes it for 0-9-1 (behaviour section 1.1).
    private static ReadOnlySpan<byte> Amqp09 => "AMQP\u0001\u0001\0\u0009"u8;

    /// <summary>
    /// Reads the header. A peer that speaks anything else is told what is spoken here, and is not to be served; nor is one that sends nothing in
    /// time. Any header of 1.0 is answered with the one that is best here, others with 0-9-1's.
    /// </summary>
    public static async Task<PeerProtocol> NegotiateAsync(IDuplexPipe transport, AmqpServer server, EndPoint? from)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(server.Limits.HandshakeTimeoutMs), server.Time);
        try
        {
            ReadResult read = await transport.Input.ReadAtLeastAsync(Size, late.Token);
            byte[] header = read.Buffer.Slice(0, Math.Min(Size, read.Buffer.Length)).ToArray();
            PeerProtocol protocol = Find(header);
            transport.Input.AdvanceTo(read.Buffer.GetPosition(protocol == PeerProtocol.None ? 0 : Size));
            if (protocol != PeerProtocol.None) return protocol;
            if (header.Length == 0) return PeerProtocol.None; // a port check: connected and gone
            server.Log.WrongProtocol(from?.ToString(), Convert.ToHexString(header));
            bool meansVersion1 = header.Length == Size && header.AsSpan().StartsWith("AMQP"u8) && header[5] == 1 && header[4] is 0 or 2 or 3;
            await transport.Output.WriteAsync((meansVersion1 ? Sasl10 : Amqp091).ToArray(), late.Token);
            return PeerProtocol.None;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            return PeerProtocol.None;
        }
    }

    private static PeerProtocol Find(ReadOnlySpan<byte> header)
    {
        if (header.SequenceEqual(Amqp091) || header.SequenceEqual(Amqp09)) return PeerProtocol.V091;
        if (header.SequenceEqual(Amqp10)) return PeerProtocol.V10;
        return header.SequenceEqual(Sasl10) ? PeerProtocol.V10WithSasl : PeerProtocol.None;
    }
}
