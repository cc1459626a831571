using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>
/// An SQL filter expression (AMQP Filter Expressions 1.0, section 6) in RabbitMQ's dialect, which clients send as <c>amqp:sql-filter</c>:
/// <c>header.priority</c>, <c>properties.subject</c>, <c>application_properties.color</c>, in short <c>h.</c>, <c>p.</c> and <c>a.</c>; a name without a
/// section, or in brackets, is an application property. Octets are written <c>0x0A1B</c> and are equal to a text of the same octets.
/// </summary>
/// <remarks>There are no functions; not even UTC(), for a queue must not find another answer for the same message later.</remarks>
public sealed class SqlFilter : IMessageFilter
{
    private readonly Expression _condition;

    /// <summary>Throws <see cref="FilterException"/> when the text is no such expression.</summary>
    public SqlFilter(string text)
    {
        _condition = Parser.Parse(text, SqlDialect.Instance);
        Text = text;
    }

    public string Text { get; }

    public bool Matches(Message message) => _condition.Evaluate(message).IsTrue;
}
