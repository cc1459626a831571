using System.Buffers.Text;
using System.Text.Unicode;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>
/// Message and correlation ids: texts in 0-9-1; in 1.0 texts, numbers, bytes or uuids, which 0-9-1 writes as <c>urn:uuid:</c> (behaviour note 113).
/// </summary>
internal static class MessageIds
{
    /// <summary>Bytes of a uuid as a text.</summary>
    public const int UrnSize = 45;

    /// <summary>Digits of the largest number.</summary>
    public const int DigitsMax = 20;

    private const int UuidTextSize = 36;

    private static ReadOnlySpan<byte> UrnPrefix => "urn:uuid:"u8;

    /// <summary>The text of a uuid.</summary>
    /// <param name="uuid">16 bytes in network order.</param>
    /// <param name="to">Room for <see cref="UrnSize"/> bytes, which are given back filled.</param>
    public static ReadOnlySpan<byte> UrnOf(ReadOnlySpan<byte> uuid, Span<byte> to)
    {
        UrnPrefix.CopyTo(to);
        Utf8Formatter.TryFormat(new Guid(uuid[..16], bigEndian: true), to[UrnPrefix.Length..], out _);
        return to[..UrnSize];
    }

    /// <summary>The text of a number.</summary>
    public static ReadOnlySpan<byte> DigitsOf(ulong number, Span<byte> to)
    {
        Utf8Formatter.TryFormat(number, to, out int size);
        return to[..size];
    }

    /// <summary>The 0-9-1 property of an id; false for one that is none of up to 255 bytes.</summary>
    /// <param name="id">The 1.0 id.</param>
    /// <param name="scratch">Room for <see cref="UrnSize"/> bytes.</param>
    /// <param name="text">The property.</param>
    public static bool TryFormat(Value10 id, Span<byte> scratch, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (id.Code == FormatCode.Uuid) text = UrnOf(id.Bytes, scratch);
        else if (id.ULong is { } number) text = DigitsOf(number, scratch);
        else if (id.IsString && id.Content.Length <= byte.MaxValue) text = id.Content;
        else return false;
        return true;
    }

    /// <summary>Writes the 1.0 id of a 0-9-1 property: a uuid, a string, or what is no UTF-8 as a binary.</summary>
    public static void Write(ReadOnlySpan<byte> text, ref ValueWriter writer)
    {
        Span<byte> uuid = stackalloc byte[16];
        if (TryReadUrn(text, uuid)) writer.WriteUuid(uuid);
        else if (Utf8.IsValid(text)) writer.WriteString(text);
        else writer.WriteBinary(text);
    }

    private static bool TryReadUrn(ReadOnlySpan<byte> text, Span<byte> uuid) =>
        text.Length == UrnSize && text.StartsWith(UrnPrefix)
        && Utf8Parser.TryParse(text[UrnPrefix.Length..], out Guid guid, out int used, 'D') && used == UuidTextSize
        && guid.TryWriteBytes(uuid, bigEndian: true, out _);
}
