using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests;

/// <summary>Something that reads bytes; the answer says what it understood.</summary>
internal delegate string HostileReader(ReadOnlySpan<byte> bytes);

/// <summary>Runs readers on bytes that nobody meant well.</summary>
internal static class Hostile
{
    /// <summary>Bytes of any kind.</summary>
    public static Gen<Octets> Noise { get; } = Gen.OneOf(WireGen.Bytes(0, 16), WireGen.Bytes(0, 300));

    /// <summary>
    /// Asserts that the reader throws nothing but <see cref="AmqpProtocolException"/>, or what 1.0 has in its place, and that what stands before and
    /// after the bytes makes no difference to it: it does not look there.
    /// </summary>
    public static string Read(ReadOnlySpan<byte> bytes, HostileReader reader)
    {
        string between0s = ReadBetween(0x00, bytes, reader);
        ReadBetween(0xFF, bytes, reader).ShouldBe(between0s);
        ReadBetween((byte)'F', bytes, reader).ShouldBe(between0s);
        return between0s;
    }

    /// <summary>Asserts that a slice is a part of the bytes that it was read from.</summary>
    public static void AssertInside(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> slice)
    {
        if (slice.IsEmpty) return;
        bytes.Overlaps(slice, out int offset).ShouldBeTrue();
        offset.ShouldBeInRange(0, bytes.Length - slice.Length);
    }

    /// <summary>The bytes with a few of them changed, cut off, put in or repeated.</summary>
    public static Gen<Octets> Mutations(Octets valid) =>
        from seed in Gen.Choose(0, int.MaxValue)
        from count in Gen.Choose(1, 4)
        select new Octets(Mutate(valid.Span.ToArray(), new Random(seed), count));

    private static string ReadBetween(byte guard, ReadOnlySpan<byte> bytes, HostileReader reader)
    {
        byte[] around = new byte[bytes.Length + 64];
        Array.Fill(around, guard);
        bytes.CopyTo(around.AsSpan(32));
        try
        {
            return reader(around.AsSpan(32, bytes.Length));
        }
        catch (AmqpProtocolException e)
        {
            e.Code.ShouldBeOneOf(ReplyCode.FrameError, ReplyCode.SyntaxError);
            return $"{e.Code} {e.Message}";
        }
        catch (Exception e) when (e is DecodeException or FramingException)
        {
            return $"refused: {e.Message}";
        }
    }

    private static byte[] Mutate(byte[] bytes, Random random, int count)
    {
        for (; count > 0 && bytes.Length > 0; count--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes = bytes[..at]; break;
                case 3: bytes = [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]]; break;
                default: bytes = [.. bytes[..at], 0xFF, 0xFF, 0xFF, 0xFF, .. bytes[at..]]; break;
            }
        }
        return bytes;
    }
}
