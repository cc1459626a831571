using System.Text;
<<<<<<< HEAD
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Pieces of AMQP 1.0 that chance would not come up with.</summary>
=======

namespace Harrier.Fuzz;

/// <summary>Pieces of AMQP 1.0 messages that chance would not come up with.</summary>
>>>>>>> caf2f8b30d287ab60800007f451f4439b8d55d4f
internal static class Fragments10
{
    private static readonly string[] Names =
    [
<<<<<<< HEAD
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
=======
        "", "n", "queue", "reason", "rejected", "count", "first-time", "last-time", "exchange", "routing-keys", "ttl", "x-cc", "x-delay", "x-opt-deaths",
        "x-basic-type", "x-basic-delivery-mode", "x-first-death-queue", "x-last-death-reason", "amqp-1.0", "/queues/q%2f", "amqp:data:binary",
        "amqp:header:list",
    ];

    // Heads of sections, then one value of each type, some with sizes or counts that are lies.
    private static readonly string[] Hex =
    [
        "005370", "005371", "005372", "005373", "005374", "005375", "005376", "005377", "005378", "00800000000000000075", "00A3",
        "40", "41", "42", "43", "44", "45", "5601", "5602", "50FF", "51FF", "60FFFF", "61FFFF", "52FF", "54FF", "70FFFFFFFF", "71FFFFFFFF", "53FF", "55FF",
        "807FFFFFFFFFFFFFFF", "808000000000000000", "818000000000000000", "727FC00000", "82FFF8000000000000", "7300000061", "7401020304", "83FFFFFFFFFFFFFFFF",
        "98550E8400E29B41D4A716446655440000", "A000", "A101FF", "A10161", "B1FFFFFFFF", "C0020140", "C003024041", "C00101", "C10100",
        "C1040254015440", "C1FFFF", "D00000000400000000", "D100000004FFFFFFFF", "E0020040", "E0020340", "F000000005000FFFFF40", "F00000000500010000D1", "E00701C0030254015401",
    ];

    /// <summary>Names as they are, as strings and as symbols; heads of sections; values.</summary>
    public static IReadOnlyList<byte[]> Words { get; } =
    [
        .. Names.Select(Encoding.ASCII.GetBytes),
        .. Names.Select(n => (byte[])[0xa1, (byte)n.Length, .. Encoding.ASCII.GetBytes(n)]),
        .. Names.Select(n => (byte[])[0xa3, (byte)n.Length, .. Encoding.ASCII.GetBytes(n)]),
        .. Hex.Select(Convert.FromHexString),
        [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0xC3], [0xE2, 0x82, 0xAC],
    ];
>>>>>>> caf2f8b30d287ab60800007f451f4439b8d55d4f
}
