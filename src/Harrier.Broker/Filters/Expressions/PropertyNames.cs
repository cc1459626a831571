using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>The properties by their names in 1.0 (part 3, section 3.2.4).</summary>
internal static class PropertyNames
{
    /// <summary>The property of that name, or null.</summary>
    public static MessageProperty? Find(string name) => name switch
    {
        "message-id" => MessageProperty.MessageId,
        "user-id" => MessageProperty.UserId,
        "to" => MessageProperty.To,
        "subject" => MessageProperty.Subject,
        "reply-to" => MessageProperty.ReplyTo,
        "correlation-id" => MessageProperty.CorrelationId,
        "content-type" => MessageProperty.ContentType,
        "content-encoding" => MessageProperty.ContentEncoding,
        "absolute-expiry-time" => MessageProperty.AbsoluteExpiryTime,
        "creation-time" => MessageProperty.CreationTime,
        "group-id" => MessageProperty.GroupId,
        "group-sequence" => MessageProperty.GroupSequence,
        "reply-to-group-id" => MessageProperty.ReplyToGroupId,
        _ => null,
    };

    /// <summary>The same for expressions, where a hyphen would be a minus: <c>message_id</c>.</summary>
    public static MessageProperty? FindInExpression(string name) => Find(name.Replace('_', '-'));
}
