using System.Text;

namespace Harrier.Protocol.Tests;

/// <summary>Wire bytes as a reader of the specification would write them down.</summary>
internal static class Wire
{
    /// <summary>The bytes of hex with quoted ASCII in between: <c>0A 0014 05'PLAIN'</c>.</summary>
    public static byte[] Bytes(string text) => [.. text.Split('\'').SelectMany((part, i) => i % 2 == 0 ? FromHex(part) : Encoding.ASCII.GetBytes(part))];

    private static byte[] FromHex(string text) => Convert.FromHexString(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));
}
