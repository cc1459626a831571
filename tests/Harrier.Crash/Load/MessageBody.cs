using System.Buffers.Binary;

namespace Harrier.Crash.Load;

/// <summary>
/// A message's number, that of its transaction (0 for none), and filling that follows from the number: so what comes back can be told from any other
/// message, and from a damaged one.
/// </summary>
internal static class MessageBody
{
    private const int HeaderSize = 16;

    public static byte[] Write(long id, long group = 0)
    {
        byte[] body = new byte[HeaderSize + FillingSize(id)];
        BinaryPrimitives.WriteInt64BigEndian(body, id);
        BinaryPrimitives.WriteInt64BigEndian(body.AsSpan(8), group);
        body.AsSpan(HeaderSize).Fill(Filling(id));
        return body;
    }

    /// <summary>The number of a message; 0, which no message has, when the body is not one that was ever written.</summary>
    public static long Read(ReadOnlySpan<byte> body)
    {
        if (body.Length < HeaderSize) return 0;
        long id = BinaryPrimitives.ReadInt64BigEndian(body);
        ReadOnlySpan<byte> filling = body[HeaderSize..];
        return filling.Length == FillingSize(id) && !filling.ContainsAnyExcept(Filling(id)) ? id : 0;
    }

    private static byte Filling(long id) => (byte)(id * 31 + 7);

    // Mostly small; now and then one that spans frames, and a rare one that spans log units.
    private static int FillingSize(long id) => (id % 397) switch
    {
        0 => 200_000,
        < 4 => 20_000,
        var rest => (int)rest,
    };
}
