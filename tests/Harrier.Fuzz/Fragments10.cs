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
        "40", "41", "42", "5600", "5601", "43", "52FF", "70FFFFFFFF", "44", "53FF", "80FFFFFFFFFFFFFFFF", "50FF", "60FFFF", "5180", "618000", "5480", "7180000000",
        "55FF", "818000000000000000", "727FC00000", "82FFF8000000000000", "730010FFFF", "83FFFFFFFFFFFFFFFF", "98000102030405060708090A0B0C0D0E0F", "A000", "A10161",
        "A30161", "B000000000", "B10000000161", "B30000000161", "B0FFFFFFFF", "45", "C00100", "C0020140", "C0010F", "D00000000400000000", "D000000005FFFFFFFF40",
        "C10100", "C103024040", "C1020140", "D10000000400000000", "E00100", "E003015001", "E00401A30161", "E00602A301610162", "F00000000400000000",
        "F000000005FFFFFFFF41", "F000000005000000FF45", "E00401005324", "E0050200532445", "E00401E00140", "00532445", "00532645", "00A3016140", "005329C00100",
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

    /// <summary>Whole frames of a client.</summary>
    public static IReadOnlyList<byte[]> Frames { get; } =
    [
        Frame(FrameType10.Amqp, []),
        Frame(FrameType10.Sasl, Body(new SaslInit { Mechanism = "ANONYMOUS"u8 })),
        Frame(FrameType10.Amqp, Body(new Open { ContainerId = "c"u8, MaxFrameSize = 512 })),
        Frame(FrameType10.Amqp, Body(new Begin { IncomingWindow = 10, OutgoingWindow = 10 })),
        Frame(FrameType10.Amqp, [.. Body(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, Settled = true }), 0x00, 0x53, 0x75, 0xa0, 1, 7]),
        Frame(FrameType10.Amqp, Body(new Disposition { Role = Role.Receiver, Settled = true, State = [0x00, 0x53, 0x24, 0x45] })),
        Frame(FrameType10.Amqp, Body(new Close())),
        [0, 0, 0, 12, 3, 0, 0, 1, 1, 2, 3, 4], // with an extended header
    ];

    private static byte[] Body<T>(T performative) where T : IComposite, allows ref struct
    {
        byte[] room = new byte[performative.SizeMax];
        return room[..performative.Write(room)];
    }

    private static byte[] Frame(FrameType10 type, byte[] body) => [0, 0, 0, checked((byte)(Frame10.HeaderSize + body.Length)), 2, (byte)type, 0, 0, .. body];
}
