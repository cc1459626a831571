using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Attaches links whose unsettled deliveries outlive them.</summary>
internal static class DurableLinks10
{
    /// <summary>Attaches link 1 from "q", with what its receiver has unsettled.</summary>
    public static async Task<WireAttach> AttachReceiverAsync(WireScript10 client, params (byte[] Tag, byte[]? State)[] unsettled)
    {
        var source = new Source { Address = Encoded10.String("/queues/q"), Durable = TerminusDurability.UnsettledState, ExpiryPolicy = "never"u8 };
        await client.Send(Links10.Receiver(1, Encoded10.Composite(in source)) with { Unsettled = Map(unsettled) });
        return await client.Expect<WireAttach>();
    }

    /// <summary>Attaches link 0 to "q", with what its sender has unsettled.</summary>
    public static async Task<WireAttach> AttachSenderAsync(WireScript10 client, params (byte[] Tag, byte[]? State)[] unsettled)
    {
        var target = new Target { Address = Encoded10.String("/queues/q"), Durable = TerminusDurability.UnsettledState, ExpiryPolicy = "never"u8 };
        await client.Send(Links10.Sender(0, Encoded10.Composite(in target)) with { RcvSettleMode = ReceiverSettleMode.Second, Unsettled = Map(unsettled) });
        WireAttach attach = await client.Expect<WireAttach>();
        await client.Expect<WireFlow>();
        return attach;
    }

    private static byte[] Map((byte[] Tag, byte[]? State)[] unsettled) => Encoded10.Of((ref ValueWriter writer) =>
    {
        int map = writer.BeginMap();
        foreach ((byte[] tag, byte[]? state) in unsettled)
        {
            writer.WriteBinary(tag);
            writer.WriteRaw(state ?? [0x40]);
        }
        writer.End(map, unsettled.Length * 2);
    });
}
