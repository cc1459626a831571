using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>
/// What a property filter expects of one field (AMQP Filter Expressions 1.0, section 4.1.1): a value, or a text that begins with "&amp;p:" or "&amp;s:" and
/// asks for a prefix or suffix; "&amp;&amp;" stands for an ampersand in front. Null is content with anything.
/// </summary>
internal readonly struct ExpectedValue
{
    private readonly ArgumentValue _value;
    private readonly Match _match;

    /// <summary>Throws <see cref="FilterException"/> for a value that no field can have, or an unknown modifier.</summary>
    public ExpectedValue(string field, ArgumentValue value)
    {
        if (value.Kind is ArgumentKind.Array or ArgumentKind.Table)
            throw new FilterException($"'{field}' cannot be compared with a value of type {value.TypeName}");
        ReadOnlySpan<byte> text = value.Kind == ArgumentKind.Text ? value.Content : default;
        (_match, int skipped) = ModifierOf(text);
        if (_match == Match.None) throw new FilterException($"the text for '{field}' has to begin with '&p:', '&s:' or '&&' when it begins with '&'");
        _value = skipped == 0 ? value : ArgumentValue.OfBytes(ArgumentKind.Text, text[skipped..]);
        if (value.Kind == ArgumentKind.Void) _match = Match.Anything;
    }

    private enum Match
    {
        None,
        Anything,
        Equal,
        Prefix,
        Suffix,
    }

    public bool Matches(FilterValue found) => _match switch
    {
        Match.Anything => true,
        Match.Prefix => found.Kind == FilterValueKind.Text && found.Text.StartsWith(_value.Content),
        Match.Suffix => found.Kind == FilterValueKind.Text && found.Text.EndsWith(_value.Content),
        _ => FilterValue.AreEqual(found, FilterValue.Of(_value)),
    };

    private static (Match Match, int Skipped) ModifierOf(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("&"u8)) return (Match.Equal, 0);
        if (text.StartsWith("&p:"u8)) return (Match.Prefix, 3);
        if (text.StartsWith("&s:"u8)) return (Match.Suffix, 3);
        return text.StartsWith("&&"u8) ? (Match.Equal, 1) : (Match.None, 0);
    }
}
