using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>The sections from the body on: what <see cref="Broker.Messages.Message.Body"/> of a 1.0 message holds (1.0 part 3, section 3.2).</summary>
internal static class Body10
{
    private static ReadOnlySpan<byte> SmallDataHead =>
        [(byte)FormatCode.Described, (byte)FormatCode.SmallULong, (byte)SectionKind.Data, (byte)FormatCode.Binary8];

    /// <summary>
    /// Throws <see cref="DecodeException"/> unless they are one or more data sections, one or more sequences, or one value, and at most a footer behind them.
    /// What is inside of the values is nobody's business but the receiver's.
    /// </summary>
    public static void Check(ReadOnlySpan<byte> body)
    {
        if (!IsOneData(body)) CheckSections(body);
    }

    // What most clients send: the descriptor as a small ulong, a binary of 8 bits, and nothing more.
    private static bool IsOneData(ReadOnlySpan<byte> body) => body.Length >= 5 && body.StartsWith(SmallDataHead) && body[4] == body.Length - 5;

    private static void CheckSections(ReadOnlySpan<byte> body)
    {
        SectionKind last = default;
        var reader = new SectionReader10(body);
        while (reader.TryRead(out SectionKind kind, out _))
        {
            bool isFirst = last == default && kind is >= SectionKind.Data and <= SectionKind.Value;
            bool isOneMore = kind == last && last is SectionKind.Data or SectionKind.Sequence;
            bool isFooter = kind == SectionKind.Footer && last is >= SectionKind.Data and <= SectionKind.Value;
            if (!isFirst && !isOneMore && !isFooter) throw new DecodeException($"the section 0x{(byte)kind:x2} comes after the section 0x{(byte)last:x2}");
            last = kind;
        }
        if (last == default) throw new DecodeException("a message has no body");
    }

    /// <summary>Whether <see cref="Check"/> passes.</summary>
    public static bool IsBody(ReadOnlySpan<byte> body)
    {
        try
        {
            Check(body);
            return true;
        }
        catch (DecodeException)
        {
            return false;
        }
    }

    /// <summary>Whether it is made of data sections, and how many bytes they hold together.</summary>
    public static bool IsData(ReadOnlySpan<byte> body, out int size)
    {
        size = 0;
        var reader = new SectionReader10(body);
        while (reader.TryRead(out SectionKind kind, out Value10 value))
        {
            if (kind is SectionKind.Sequence or SectionKind.Value) return false;
            if (kind == SectionKind.Data) size += value.Content.Length;
        }
        return true;
    }
}
