using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Pieces of AMQP 1.0 that chance would not come up with.</summary>
internal static class Fragments10
{
    private static readonly string[] Names =
    [
        "", "q", "/queues/q", "/exchanges/e/k", "guest", "PLAIN", "ANONYMOUS", "move", "copy", "session-end", "never", "x-opt-x", "amqp:not-found",
        "amqp:open:list", "amqp:transfer:list", "amqp:accepted:list", "amqp:header:list", "amqp:amqp-value:*", "apache.org:selector-filter:string",
    ];

    // Values at their borders in each form, and some whose inner size or count is a lie.
    private static readonly string[] ValuesInHex =
    [
        "40", "41", "42", "5600", "5601", "43", "52FF", "70FFFFFFFF", "44", "53FF", "80FFFFFFFFFFFFFFFF", "50FF", "60FFFF", "5180", "618000", "5480",
        "7180000000", "55FF", "818000000000000000", "727FC00000", "82FFF8000000000000", "730010FFFF", "83FFFFFFFFFFFFFFFF",
        "98000102030405060708090A0B0C0D0E0F", "A000", "A10161", "A30161", "B000000000", "B10000000161", "B30000000161", "B0FFFFFFFF", "45", "C00100",
        "C0020140", "C0010F", "D00000000400000000", "D000000005FFFFFFFF40", "C10100", "C103024040", "C1020140", "D10000000400000000", "E00100",
        "E003015001", "E00401A30161", "E00602A301610162", "F00000000400000000", "F000000005FFFFFFFF41", "F000000005000000FF45", "E00401005324",
        "E0050200532445", "E00401E00140", "00532445", "00532645", "00A3016140", "005329C00100",
    ];

    /// <summary>Values, names and descriptors.</summary>
    public static IReadOnlyList<byte[]> Words { get; } =
    [
        .. ValuesInHex.Select(Convert.FromHexString),
        .. Names.Select(n => (byte[])[0xa1, (byte)n.Length, .. Encoding.ASCII.GetBytes(n)]),
        .. Names.Select(n => (byte[])[0xa3, (byte)n.Length, .. Encoding.ASCII.GetBytes(n)]),
        .. Names.Select(n => (byte[])[0x00, 0xa3, (byte)n.Length, .. Encoding.ASCII.GetBytes(n)]),
        .. Enumerable.Range(0x10, 0x69).Select(code => (byte[])[0x00, 0x53, (byte)code]),
        [0x00, 0x80, 0x00, 0x00, 0x46, 0x8c, 0x00, 0x00, 0x00, 0x04],
        [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0],
    ];

    /// <summary>Whole frames of a client that has logged in.</summary>
    public static IReadOnlyList<byte[]> Frames { get; } =
    [
        Frame([]),
        Frame(Body(new Open { ContainerId = "c"u8, MaxFrameSize = 512 })),
        Frame(Body(new Begin { IncomingWindow = 10, OutgoingWindow = 10 })),
        Frame(Body(new Begin { IncomingWindow = 1, OutgoingWindow = 1 }), channel: 1),
        Sender(0, Body(new Target { Address = Text("/exchanges/amq.fanout"u8) })),
        Sender(1, Body(new Target())),
        Sender(2, Body(new Coordinator())),
        Sender(3, Body(new Target { Address = Text("/management"u8) })),
        .. ManagementFragments.Attaches.Select(attach => Frame(attach)),
        .. ManagementFragments.Requests.Select(request => Frame([.. Body(new Transfer { Handle = 6, DeliveryId = 0, DeliveryTag = "t"u8 }), .. request])),
        Frame(Body(new Flow { IncomingWindow = 10, NextOutgoingId = 0, OutgoingWindow = 10, Handle = 7, DeliveryCount = 0, LinkCredit = 10 })),
        Receiver(0, Body(new Source { Dynamic = true })),
        Receiver(4, Body(new Source { Dynamic = true })),
        Receiver(5, Body(new Source { Address = Text("/queues/q"u8) })),
        Frame(Body(new Flow { IncomingWindow = 10, NextOutgoingId = 0, OutgoingWindow = 10, Handle = 4, DeliveryCount = 0, LinkCredit = 10 })),
        Frame(Body(new Flow { NextIncomingId = 0, IncomingWindow = 0, OutgoingWindow = 10, Echo = true })),
        Frame(Body(new Flow { IncomingWindow = 10, NextOutgoingId = 0, OutgoingWindow = 10, Handle = 4, LinkCredit = 1, Drain = true })),
        Frame([.. Body(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8 }), .. Data]),
        Frame([.. Body(new Transfer { Handle = 1, DeliveryId = 1, DeliveryTag = "u"u8, Settled = true, More = true }), .. Data]),
        Frame([.. Body(new Transfer { Handle = 1 }), .. Body(new MessageProperties { To = Text("/exchanges/amq.fanout"u8) }), .. Data]),
        Frame([.. Body(new Transfer { Handle = 1, Aborted = true })]),
        Frame([.. Body(new Transfer { Handle = 2, DeliveryId = 2, DeliveryTag = "d"u8 }), 0x00, 0x53, 0x77, .. Body(new Declare())]),
        Frame([.. Body(new Transfer { Handle = 2, DeliveryId = 3, DeliveryTag = "e"u8 }), 0x00, 0x53, 0x77, .. Body(new Discharge { TxnId = [0xa0, 1, 0] })]),
        Frame(Body(new Disposition { Role = Role.Receiver, Settled = true, State = Body(new Accepted()) })),
        Frame(Body(new Disposition { Role = Role.Receiver, First = 0, Last = uint.MaxValue, State = Body(new Modified { DeliveryFailed = true }) })),
        Frame(Body(new Detach { Closed = true })),
        Frame(Body(new Detach { Handle = 4 })),
        Frame(Body(new End())),
        Frame(Body(new Close())),
        Frame(Body(new SaslInit { Mechanism = "ANONYMOUS"u8 }), FrameType10.Sasl),
        [0, 0, 0, 12, 3, 0, 0, 1, 1, 2, 3, 4], // with an extended header
    ];

    /// <summary>From the protocol header to the beginning of a session on channel 0.</summary>
    public static byte[] Opening { get; } =
    [
        .. "AMQP\u0003\u0001\0\0"u8,
        .. Frame(Body(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = "\0guest\0guest"u8 }), FrameType10.Sasl),
        .. "AMQP\0\u0001\0\0"u8,
        .. Frame(Body(new Open { ContainerId = "c"u8 })),
        .. Frame(Body(new Begin { IncomingWindow = 100, OutgoingWindow = 100 })),
    ];

    private static byte[] Data => [0x00, 0x53, 0x75, 0xa0, 1, 7];

    private static byte[] Sender(uint handle, byte[] target) => Frame(Body(new Attach
    {
        Name = [(byte)('a' + handle)], Handle = handle, Role = Role.Sender, Source = Body(new Source()), Target = target, InitialDeliveryCount = 0,
    }));

    private static byte[] Receiver(uint handle, byte[] source) =>
        Frame(Body(new Attach { Name = [(byte)('a' + handle)], Handle = handle, Role = Role.Receiver, Source = source, Target = Body(new Target()) }));

    private static byte[] Text(ReadOnlySpan<byte> text) => [0xa1, (byte)text.Length, .. text];

    internal static byte[] Body<T>(T performative) where T : IComposite, allows ref struct
    {
        byte[] room = new byte[performative.SizeMax];
        return room[..performative.Write(room)];
    }

    private static byte[] Frame(byte[] body, FrameType10 type = FrameType10.Amqp, byte channel = 0) =>
        [0, 0, 0, checked((byte)(Frame10.HeaderSize + body.Length)), 2, (byte)type, 0, channel, .. body];
}
