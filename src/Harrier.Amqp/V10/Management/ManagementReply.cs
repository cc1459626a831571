using System.Globalization;
using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>What a request is answered with.</summary>
/// <param name="Status">The status, as HTTP has them.</param>
/// <param name="Body">One encoded value.</param>
internal readonly record struct ManagementReply(int Status, byte[] Body)
{
    /// <summary>Bytes of a reply's body. Only a list of very many bindings comes near it.</summary>
    public const int BytesMax = 1 << 20;

    private const int ScratchBytes = 256;

    private static readonly byte[] Null = [(byte)FormatCode.Null];

    /// <summary>Ends when what was asked for is done.</summary>
    public Task Done { get; init; } = Task.CompletedTask;

    /// <summary>Done, and there is nothing to say of it.</summary>
    public static ManagementReply NoContent() => new(204, Null);

    public static ManagementReply Of(RequestRefusedException refusal) => new(refusal.Status, Values10.Text(refusal.Message));

    /// <summary>How many messages have gone.</summary>
    public static ManagementReply OfMessageCount(int count)
    {
        var writer = new ValueWriter(stackalloc byte[ScratchBytes]);
        int map = writer.BeginMap();
        writer.WriteString("message_count"u8);
        writer.WriteULong((ulong)count);
        writer.End(map, 2);
        return new ManagementReply(200, writer.Written.ToArray());
    }

    /// <summary>The encoded message.</summary>
    /// <param name="messageId">The request's encoded message-id, or default for none.</param>
    public byte[] ToMessage(ReadOnlySpan<byte> messageId)
    {
        var properties = new MessageProperties { Subject = Encoding.ASCII.GetBytes(Status.ToString(CultureInfo.InvariantCulture)), CorrelationId = messageId };
        var writer = new ValueWriter(stackalloc byte[ScratchBytes]);
        properties.Write(ref writer);
        writer.WriteDescriptor(Descriptors.ApplicationProperties);
        int map = writer.BeginMap();
        writer.WriteString("http:response"u8);
        writer.WriteString("1.1"u8);
        writer.End(map, 2);
        writer.WriteDescriptor(Descriptors.AmqpValue);
        writer.WriteRaw(Body);
        byte[] message = writer.Written.ToArray();
        writer.Dispose();
        return message;
    }
}
