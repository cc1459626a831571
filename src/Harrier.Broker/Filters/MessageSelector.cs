using Harrier.Broker.Filters.Expressions;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>
/// A message selector of JMS (Jakarta Messaging 3.1, section 3.8), which JMS clients send as <c>apache.org:selector-filter:string</c>. Besides JMS's header
/// names it knows the properties of 1.0 as <c>amqp.creation_time</c>, in double quotes or without; every other name is an application property.
/// </summary>
/// <remarks>
/// As in ActiveMQ, whole numbers divide to whole numbers, <c>%</c> is the remainder, text can be ordered, and <c>&lt;&gt;</c> is the opposite of <c>=</c> for
/// values that cannot be compared as well. A whole number too large for 64 bits goes on as a floating-point one. Texts are ordered by their UTF-8.
/// </remarks>
public sealed class MessageSelector : IMessageFilter
{
    private readonly Expression _condition;

    /// <summary>Throws <see cref="FilterException"/> when the text is no selector.</summary>
    public MessageSelector(string text)
    {
        _condition = Parser.Parse(text, SelectorDialect.Instance);
        Text = text;
    }

    public string Text { get; }

    public bool Matches(Message message) => _condition.Evaluate(message).IsTrue;
}
