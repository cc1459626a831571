using System.Buffers;
using System.Globalization;
using System.Text;

namespace Harrier.Amqp.V10;

/// <summary>Names in paths, percent-encoded (RFC 3986, section 2.1).</summary>
internal static class PercentEncoding
{
    private static readonly SearchValues<byte> Unreserved =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"u8);

    public static string Encode(ReadOnlySpan<byte> octets)
    {
        var encoded = new StringBuilder(octets.Length);
        foreach (byte octet in octets)
        {
            if (Unreserved.Contains(octet)) encoded.Append((char)octet);
            else encoded.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
        }
        return encoded.ToString();
    }

    /// <summary>Decodes; false when a percent sign has no two digits behind it.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, out byte[] octets)
    {
        octets = new byte[encoded.Length];
        int size = 0;
        for (int i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] != '%')
            {
                octets[size++] = encoded[i];
                continue;
            }
            if (i + 2 >= encoded.Length || HexOf(encoded[i + 1]) is not { } high || HexOf(encoded[i + 2]) is not { } low) return false;
            octets[size++] = (byte)(high << 4 | low);
            i += 2;
        }
        Array.Resize(ref octets, size);
        return true;
    }

    private static int? HexOf(byte digit) => char.IsAsciiHexDigit((char)digit) ? Convert.ToInt32(((char)digit).ToString(), 16) : null;
}
