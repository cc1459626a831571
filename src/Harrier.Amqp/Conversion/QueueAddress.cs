using System.Buffers;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// The address of a queue in 1.0, <c>/queues/NAME</c> with the name percent-encoded (behaviour note 104). 0-9-1 has the name alone in reply-to.
/// </summary>
internal static class QueueAddress
{
    /// <summary>Bytes of the longest address: every byte of the name encoded.</summary>
    public const int SizeMax = 8 + 3 * byte.MaxValue;

    // RFC 3986, section 2.3.
    private static readonly SearchValues<byte> Unreserved = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);

    private static ReadOnlySpan<byte> Prefix => "/queues/"u8;

    /// <summary>The address of a queue.</summary>
    /// <param name="name">At most 255 bytes.</param>
    /// <param name="to">Room for <see cref="SizeMax"/> bytes.</param>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> name, Span<byte> to)
    {
        Prefix.CopyTo(to);
        int size = Prefix.Length;
        foreach (byte octet in name)
        {
            if (Unreserved.Contains(octet))
            {
                to[size++] = octet;
                continue;
            }
            to[size++] = (byte)'%';
            to[size++] = (byte)"0123456789ABCDEF"[octet >> 4];
            to[size++] = (byte)"0123456789ABCDEF"[octet & 0xf];
        }
        return to[..size];
    }

    /// <summary>The name of the queue that an address is of; false when it is no such address or its encoding is wrong.</summary>
    /// <param name="address">The address.</param>
    /// <param name="to">Room for 255 bytes.</param>
    /// <param name="name">At most 255 bytes.</param>
    public static bool TryParse(ReadOnlySpan<byte> address, Span<byte> to, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!address.StartsWith(Prefix)) return false;
        int size = 0;
        for (int at = Prefix.Length; at < address.Length; at++)
        {
            if (size == byte.MaxValue) return false;
            byte octet = address[at];
            if (octet == '/') return false; // a further segment
            if (octet == '%')
            {
                if (at + 2 >= address.Length || !TryReadHex(address.Slice(at + 1, 2), out octet)) return false;
                at += 2;
            }
            to[size++] = octet;
        }
        name = to[..size];
        return true;
    }

    private static bool TryReadHex(ReadOnlySpan<byte> digits, out byte octet)
    {
        octet = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit)) return false;
            octet = (byte)(octet << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10));
        }
        return true;
    }
}
