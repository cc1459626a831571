using System.Text;

namespace Harrier.Fuzz;

/// <summary>Pieces of AMQP 1.0 messages that chance would not come up with.</summary>
internal static class MessageFragments10
{
    private static readonly string[] Names =
    [
        "", "n", "queue", "reason", "rejected", "count", "first-time", "last-time", "exchange", "routing-keys", "ttl", "x-cc", "x-delay", "x-opt-deaths",
        "x-basic-type", "x-basic-delivery-mode", "x-first-death-queue", "x-last-death-reason", "amqp-1.0", "/queues/q%2f", "amqp:data:binary", "amqp:header:list",
    ];

    // Heads of sections, then one value of each type, some with sizes or counts that are lies.
    private static readonly string[] Hex =
    [
        "005370", "005371", "005372", "005373", "005374", "005375", "005376", "005377", "005378", "00800000000000000075", "00A3",
        "40", "41", "42", "43", "44", "45", "5601", "5602", "50FF", "51FF", "60FFFF", "61FFFF", "52FF", "54FF", "70FFFFFFFF", "71FFFFFFFF", "53FF", "55FF",
        "807FFFFFFFFFFFFFFF", "808000000000000000", "818000000000000000", "727FC00000", "82FFF8000000000000", "7300000061", "7401020304", "83FFFFFFFFFFFFFFFF",
        "98550E8400E29B41D4A716446655440000", "A000", "A101FF", "A10161", "B1FFFFFFFF", "C0020140", "C003024041", "C00101", "C10100", "C1040254015440", "C1FFFF",
        "D00000000400000000", "D100000004FFFFFFFF", "E0020040", "E0020340", "F000000005000FFFFF40", "F00000000500010000D1", "E00701C0030254015401",
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
}
