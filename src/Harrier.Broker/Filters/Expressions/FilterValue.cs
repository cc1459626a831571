using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>The types that expressions tell apart.</summary>
internal enum FilterValueKind : byte
{
    /// <summary>SQL's NULL, and what comes of calculating with it.</summary>
    Unknown,

    Boolean,

    /// <summary>A whole number, or a time in milliseconds since 1970.</summary>
    Whole,

    /// <summary>A floating-point number.</summary>
    Real,

    /// <summary>UTF-8, or any octets.</summary>
    Text,

    /// <summary>Something that is there and can be compared with nothing: an array, a table, a decimal.</summary>
    Other,
}

/// <summary>The value of an expression for one message. Texts stand in the message or in the expression.</summary>
internal readonly ref struct FilterValue
{
    private readonly long _bits;

    private FilterValue(FilterValueKind kind, long bits, ReadOnlySpan<byte> text = default)
    {
        Kind = kind;
        _bits = bits;
        Text = text;
    }

    public static FilterValue Unknown => default;

    public FilterValueKind Kind { get; }

    public ReadOnlySpan<byte> Text { get; }

    public bool IsUnknown => Kind == FilterValueKind.Unknown;

    public bool IsTrue => Kind == FilterValueKind.Boolean && _bits != 0;

    public bool IsFalse => Kind == FilterValueKind.Boolean && _bits == 0;

    public bool IsNumber => Kind is FilterValueKind.Whole or FilterValueKind.Real;

    /// <summary>A whole number as it is.</summary>
    public long Whole => _bits;

    /// <summary>A number of either kind as a floating-point one.</summary>
    public double Real => Kind == FilterValueKind.Real ? BitConverter.Int64BitsToDouble(_bits) : _bits;

    public static FilterValue Of(bool value) => new(FilterValueKind.Boolean, value ? 1 : 0);

    public static FilterValue Of(long value) => new(FilterValueKind.Whole, value);

    public static FilterValue Of(double value) => new(FilterValueKind.Real, BitConverter.DoubleToInt64Bits(value));

    public static FilterValue OfText(ReadOnlySpan<byte> text) => new(FilterValueKind.Text, 0, text);

    public static FilterValue Of(HeaderValue value) => value.Kind switch
    {
        ArgumentKind.Void => Unknown,
        ArgumentKind.Boolean => Of(value.Boolean.GetValueOrDefault()),
        >= ArgumentKind.SignedByte and <= ArgumentKind.SignedLong => Of(value.Integer.GetValueOrDefault()),
        ArgumentKind.Timestamp => Of(value.TimeMs.GetValueOrDefault()),
        ArgumentKind.Float or ArgumentKind.Double => Of(value.Real.GetValueOrDefault()),
        ArgumentKind.Text or ArgumentKind.Bytes => OfText(value.Content),
        _ => new FilterValue(FilterValueKind.Other, 0),
    };

    public static FilterValue Of(ArgumentValue value) => value.Kind is ArgumentKind.Float or ArgumentKind.Double
        ? Of(value.Real)
        : Of(new HeaderValue(value.Kind, value.Integer, 0, value.Content));

    /// <summary>The value of a property; unknown when the message lacks it.</summary>
    public static FilterValue Find(Message message, MessageProperty property) =>
        message.Format.TryFindProperty(message.Properties, property, out HeaderValue value) ? Of(value) : Unknown;

    /// <summary>Whether two values are the same: numbers by value, texts by their octets. Values of different types are not, nor is the unknown.</summary>
    public static bool AreEqual(FilterValue left, FilterValue right)
    {
        if (left.Kind == FilterValueKind.Real || right.Kind == FilterValueKind.Real) return left.IsNumber && right.IsNumber && left.Real == right.Real;
        return left.Kind == right.Kind && left.Kind switch
        {
            FilterValueKind.Text => left.Text.SequenceEqual(right.Text),
            FilterValueKind.Boolean or FilterValueKind.Whole => left._bits == right._bits,
            _ => false,
        };
    }
}
