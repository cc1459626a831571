using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>Values as RabbitMQ's refusals show them: as Erlang prints what it has decoded.</summary>
internal static class ErlangText10
{
    // Of a text; the rest of it is left out.
    private const int BytesMax = 255;

    /// <summary>A key and its value.</summary>
    public static string Pair(Value10 key, Value10 value) => $"{{{Of(key)},{Of(value)}}}";

    /// <summary>A map of names to names.</summary>
    public static string Map(IEnumerable<(string Name, Utf8Name Value)> pairs) =>
        $"#{{{string.Join(',', pairs.OrderBy(pair => pair.Name, StringComparer.Ordinal).Select(pair => $"{Binary(Encoding.UTF8.GetBytes(pair.Name))} => {Binary(pair.Value.Span)}"))}}}";

    private static string Of(Value10 value) => value.Code switch
    {
        FormatCode.Null => "null",
        FormatCode.True => "true",
        FormatCode.False => "false",
        FormatCode.Boolean => $"{{boolean,{(value.Boolean == true ? "true" : "false")}}}",
        FormatCode.String8 or FormatCode.String32 => $"{{utf8,{Binary(value.Content)}}}",
        FormatCode.Symbol8 or FormatCode.Symbol32 => $"{{symbol,{Binary(value.Content)}}}",
        FormatCode.Binary8 or FormatCode.Binary32 => $"{{binary,{Binary(value.Content)}}}",
        _ when value.Integer is { } integer => $"{{{TypeOf(value.Code)},{integer}}}",
        _ => $"{{{TypeOf(value.Code)},...}}",
    };

    private static string TypeOf(FormatCode code) => code switch
    {
        FormatCode.UByte => "ubyte",
        FormatCode.Byte => "byte",
        FormatCode.UShort => "ushort",
        FormatCode.Short => "short",
        FormatCode.UInt or FormatCode.SmallUInt or FormatCode.UInt0 => "uint",
        FormatCode.Int or FormatCode.SmallInt => "int",
        FormatCode.ULong or FormatCode.SmallULong or FormatCode.ULong0 => "ulong",
        FormatCode.Long or FormatCode.SmallLong => "long",
        FormatCode.Float => "float",
        FormatCode.Double => "double",
        FormatCode.Timestamp => "timestamp",
        FormatCode.Uuid => "uuid",
        FormatCode.Char => "char",
        FormatCode.List0 or FormatCode.List8 or FormatCode.List32 => "list",
        FormatCode.Map8 or FormatCode.Map32 => "map",
        FormatCode.Array8 or FormatCode.Array32 => "array",
        FormatCode.Described => "described",
        _ => "as_is",
    };

    private static string Binary(ReadOnlySpan<byte> bytes)
    {
        string text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, BytesMax)]);
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return escaped.Length == 0 ? "<<>>" : $"<<\"{escaped}\"{(Ascii.IsValid(text) ? "" : "/utf8")}>>";
    }
}
