using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>Selectors of JMS.</summary>
internal sealed class SelectorDialect : Dialect
{
    public static readonly SelectorDialect Instance = new();

    private const string FieldPrefix = "amqp.";

    public override bool HasJavaNumbers => true;

    public override bool QuotesNames => true;

    public override bool HasBetween => true;

    public override ArithmeticOperator Division => ArithmeticOperator.Divide;

    public override Expression? Find(string name) => name switch
    {
        "JMSMessageID" => new PropertyField(MessageProperty.MessageId),
        "JMSTimestamp" => new PropertyField(MessageProperty.CreationTime),
        "JMSDeliveryMode" => new DeliveryModeField(),
        "JMSPriority" => new PriorityField(),
        "JMSCorrelationID" => new PropertyField(MessageProperty.CorrelationId),
        "JMSType" => new PropertyField(MessageProperty.Subject, MessageProperty.Type),
        "JMSDestination" => new PropertyField(MessageProperty.To),
        "JMSReplyTo" => new PropertyField(MessageProperty.ReplyTo),
        "JMSExpiration" => new ExpiryField(),
        "JMSXGroupID" => new PropertyField(MessageProperty.GroupId),
        "JMSXGroupSeq" => new PropertyField(MessageProperty.GroupSequence),
        "JMSXUserID" => new PropertyField(MessageProperty.UserId),
        "JMSRedelivered" or "JMSXDeliveryCount" => new UnknownField(),
        _ => name.StartsWith(FieldPrefix, StringComparison.Ordinal) ? FindField(name[FieldPrefix.Length..]) : new HeaderField(name),
    };

    // As Qpid has them.
    private static Expression? FindField(string name) => name switch
    {
        "priority" => new PriorityField(),
        "durable" => new DurableField(),
        "delivery_count" or "redelivered" => new UnknownField(),
        _ => PropertyNames.FindInExpression(name) is { } property ? new PropertyField(property) : null,
    };
}
