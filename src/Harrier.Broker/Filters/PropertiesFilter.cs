using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>
/// A filter on the properties of a message (<c>amqp:properties-filter</c>, AMQP Filter Expressions 1.0, section 4.2.4): all that it names must match.
/// </summary>
public sealed class PropertiesFilter : IMessageFilter
{
    private readonly (MessageProperty Property, ExpectedValue Expected)[] _fields;

    /// <summary>Throws <see cref="FilterException"/> for no or too many fields, a field that does not exist, and values that cannot be expected.</summary>
    /// <param name="fields">
    /// Fields as 1.0 names them (<c>message-id</c>; part 3, section 3.2.4), and what is expected of each; texts with the modifiers <c>&amp;p:</c> and
    /// <c>&amp;s:</c>, times as timestamps or as whole milliseconds since 1970, null for anything.
    /// </param>
    public PropertiesFilter(IReadOnlyList<Argument> fields)
    {
        FieldList.Check(fields);
        _fields = [.. fields.Select(field => (PropertyOf(field.Name), new ExpectedValue(field.Name, field.Value)))];
        Text = FieldList.Describe("properties", fields);
    }

    public string Text { get; }

    public bool Matches(Message message)
    {
        foreach ((MessageProperty property, ExpectedValue expected) in _fields)
        {
            if (!expected.Matches(FilterValue.Find(message, property))) return false;
        }
        return true;
    }

    private static MessageProperty PropertyOf(string name) =>
        PropertyNames.Find(name) ?? throw new FilterException($"there is no property '{FieldList.Shorten(name)}'");
}
