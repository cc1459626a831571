using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>An application property; a header in 0-9-1.</summary>
internal sealed class HeaderField(string name) : Expression(1)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message) =>
        message.Format.TryFindHeader(message.Properties, _name, out HeaderValue value) ? FilterValue.Of(value) : FilterValue.Unknown;
}

/// <summary>A property, or another one when the message lacks the first.</summary>
internal sealed class PropertyField(MessageProperty property, MessageProperty? otherwise = null) : Expression(1)
{
    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue value = FilterValue.Find(message, property);
        return value.IsUnknown && otherwise is { } other ? FilterValue.Find(message, other) : value;
    }
}

/// <summary>The priority, from 0 to 255; 4 when the publisher has not said (1.0 part 3, section 3.2.1).</summary>
internal sealed class PriorityField() : Expression(1)
{
    private const byte PriorityDefault = 4;

    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message) => FilterValue.Of((long)(message.Priority ?? PriorityDefault));
}

/// <summary>Whether the message is to survive a restart.</summary>
internal sealed class DurableField() : Expression(1)
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message) => FilterValue.Of(message.IsPersistent);
}

/// <summary>The same in JMS's words (section 3.8.1.1).</summary>
internal sealed class DeliveryModeField() : Expression(1)
{
    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message) => FilterValue.OfText(message.IsPersistent ? "PERSISTENT"u8 : "NON_PERSISTENT"u8);
}

/// <summary>When the message expires, in milliseconds since 1970; 0 for never, as JMS has it.</summary>
internal sealed class ExpiryField() : Expression(1)
{
    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message) => FilterValue.Of(message.ExpiresAtMs);
}

/// <summary>Something that a message itself does not know, such as how often it was delivered.</summary>
internal sealed class UnknownField() : Expression(1)
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message) => FilterValue.Unknown;
}
