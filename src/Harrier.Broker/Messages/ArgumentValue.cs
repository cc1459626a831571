using System.Text;

namespace Harrier.Broker.Messages;

/// <summary>The types that argument and header values have in any protocol; the comments give RabbitMQ's names, which clients see in errors.</summary>
public enum ArgumentKind
{
    Void,
    Boolean,
    SignedByte,
    UnsignedByte,
    SignedShort,
    UnsignedShort,
    SignedInt,
    UnsignedInt,
    SignedLong,
    Float,
    Double,
    Decimal,
    Timestamp,
    Text,
    Bytes,
    Array,
    Table,
}

/// <summary>A value of an argument table: immutable, of one of the <see cref="ArgumentKind"/>s.</summary>
public readonly struct ArgumentValue : IEquatable<ArgumentValue>
{
    private readonly object? _reference;
    private readonly long _bits;

    private ArgumentValue(ArgumentKind kind, long bits, object? reference)
    {
        Kind = kind;
        _bits = bits;
        _reference = reference;
    }

    public ArgumentKind Kind { get; }

    /// <summary>Whether the value is a whole number; RabbitMQ treats all widths as one class (behaviour section 1.3).</summary>
    public bool IsInteger => Kind is >= ArgumentKind.SignedByte and <= ArgumentKind.SignedLong;

    /// <summary>The number of an integer, boolean (0 or 1) or timestamp (seconds).</summary>
    public long Integer => _bits;

    /// <summary>The number of a float or double.</summary>
    public double Real => BitConverter.Int64BitsToDouble(_bits);

    /// <summary>The bytes of a text, byte array or decimal (scale octet and 32-bit value, as in 0-9-1).</summary>
    public ReadOnlySpan<byte> Content => _reference as byte[];

    public IReadOnlyList<ArgumentValue> Items => (ArgumentValue[])_reference!;

    public ArgumentTable Table => (ArgumentTable)_reference!;

    /// <summary>Text content as a string; for other kinds what an error message shows.</summary>
    public string Text => Kind switch
    {
        ArgumentKind.Text or ArgumentKind.Bytes => Encoding.UTF8.GetString(Content),
        ArgumentKind.Decimal => DecimalText(Content),
        ArgumentKind.Boolean => Integer != 0 ? "true" : "false",
        ArgumentKind.Float or ArgumentKind.Double => Real.ToString("R"),
        ArgumentKind.Void => "undefined",
        ArgumentKind.Array => "[" + string.Join(",", Items.Select(i => i.Text)) + "]",
        ArgumentKind.Table => "[" + string.Join(",", Table.Select(f => $"{{{f.Name},{f.Value.Text}}}")) + "]",
        _ => Integer.ToString(),
    };

    /// <summary>The name of the type as RabbitMQ's error texts write it.</summary>
    public string TypeName => Kind switch
    {
        ArgumentKind.Void => "void",
        ArgumentKind.Boolean => "bool",
        ArgumentKind.SignedByte => "byte",
        ArgumentKind.UnsignedByte => "unsignedbyte",
        ArgumentKind.SignedShort => "short",
        ArgumentKind.UnsignedShort => "unsignedshort",
        ArgumentKind.SignedInt => "signedint",
        ArgumentKind.UnsignedInt => "unsignedint",
        ArgumentKind.SignedLong => "long",
        ArgumentKind.Float => "float",
        ArgumentKind.Double => "double",
        ArgumentKind.Decimal => "decimal",
        ArgumentKind.Timestamp => "timestamp",
        ArgumentKind.Text => "longstr",
        ArgumentKind.Bytes => "binary",
        ArgumentKind.Array => "array",
        _ => "table",
    };

    // A scale, then the digits (0-9-1 section 4.2.5.4).
    private static string DecimalText(ReadOnlySpan<byte> content)
    {
        if (content.Length != 5 || content[0] > 28) return Convert.ToHexString(content);
        uint digits = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(content[1..]);
        return new decimal((int)digits, 0, 0, isNegative: false, content[0]).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    public static ArgumentValue Of(string text) => new(ArgumentKind.Text, 0, Encoding.UTF8.GetBytes(text));

    public static ArgumentValue Of(bool value) => new(ArgumentKind.Boolean, value ? 1 : 0, null);

    public static ArgumentValue Of(long value) => new(ArgumentKind.SignedLong, value, null);

    /// <summary>A whole number, boolean or timestamp.</summary>
    public static ArgumentValue OfInteger(ArgumentKind kind, long value) => new(kind, value, null);

    /// <summary>A float or double.</summary>
    public static ArgumentValue OfReal(ArgumentKind kind, double value) => new(kind, BitConverter.DoubleToInt64Bits(value), null);

    /// <summary>A text, byte array or decimal; the bytes are copied.</summary>
    public static ArgumentValue OfBytes(ArgumentKind kind, ReadOnlySpan<byte> bytes) => new(kind, 0, bytes.ToArray());

    public static ArgumentValue Of(ArgumentValue[] items) => new(ArgumentKind.Array, 0, items);

    public static ArgumentValue Of(ArgumentTable table) => new(ArgumentKind.Table, 0, table);

    /// <summary>Equal as RabbitMQ compares arguments: numbers by value within their class, everything else by type and content.</summary>
    public bool Equals(ArgumentValue other)
    {
        if (IsInteger && other.IsInteger) return Integer == other.Integer;
        if (Kind is ArgumentKind.Float or ArgumentKind.Double && other.Kind is ArgumentKind.Float or ArgumentKind.Double) return Real.Equals(other.Real);
        if (Kind != other.Kind) return false;
        return Kind switch
        {
            ArgumentKind.Array => Items.SequenceEqual(other.Items),
            ArgumentKind.Table => Table.Equals(other.Table),
            ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Decimal => Content.SequenceEqual(other.Content),
            _ => _bits == other._bits,
        };
    }

    public override bool Equals(object? obj) => obj is ArgumentValue other && Equals(other);

    public override int GetHashCode()
    {
        if (IsInteger) return HashCode.Combine(1, _bits);
        var hash = new HashCode();
        hash.Add(Kind is ArgumentKind.Float ? ArgumentKind.Double : Kind);
        if (_reference is byte[] bytes) hash.AddBytes(bytes);
        else if (Kind is ArgumentKind.Float or ArgumentKind.Double) hash.Add(Real); // as Equals compares it: 0.0 is -0.0
        else if (_reference is null) hash.Add(_bits);
        return hash.ToHashCode();
    }

    public static bool operator ==(ArgumentValue left, ArgumentValue right) => left.Equals(right);

    public static bool operator !=(ArgumentValue left, ArgumentValue right) => !left.Equals(right);
}
