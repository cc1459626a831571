using System.Text;
using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>
/// A filter on the application properties of a message, in 0-9-1 its headers (<c>amqp:application-properties-filter</c>, AMQP Filter Expressions 1.0,
/// section 4.2.5): all that it names must be there and match.
/// </summary>
public sealed class ApplicationPropertiesFilter : IMessageFilter
{
    private readonly (byte[] Name, ExpectedValue Expected)[] _fields;

    /// <summary>Throws <see cref="FilterException"/> for no or too many fields, and values that cannot be expected.</summary>
    /// <param name="fields">Names, and what is expected of each; texts with the modifiers <c>&amp;p:</c> and <c>&amp;s:</c>, null for anything.</param>
    public ApplicationPropertiesFilter(IReadOnlyList<Argument> fields)
    {
        FieldList.Check(fields);
        _fields = [.. fields.Select(field => (Encoding.UTF8.GetBytes(field.Name), new ExpectedValue(FieldList.Shorten(field.Name), field.Value)))];
        Text = FieldList.Describe("application-properties", fields);
    }

    public string Text { get; }

    public bool Matches(Message message)
    {
        foreach ((byte[] name, ExpectedValue expected) in _fields)
        {
            if (!message.Format.TryFindHeader(message.Properties, name, out HeaderValue value) || !expected.Matches(FilterValue.Of(value))) return false;
        }
        return true;
    }
}
