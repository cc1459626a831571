namespace Harrier.Amqp.Conversion;

/// <summary>The fields of a properties section (1.0 part 3, section 3.2.4).</summary>
internal readonly ref struct PropertyFields10
{
    public PropertyFields10(Value10 properties)
    {
        var fields = new ListReader10(properties);
        MessageId = fields.Read();
        UserId = fields.Read();
        To = fields.Read();
        Subject = fields.Read();
        ReplyTo = fields.Read();
        CorrelationId = fields.Read();
        ContentType = fields.Read();
        ContentEncoding = fields.Read();
        AbsoluteExpiryTime = fields.Read();
        CreationTime = fields.Read();
        GroupId = fields.Read();
        GroupSequence = fields.Read();
        ReplyToGroupId = fields.Read();
    }

    public Value10 MessageId { get; }

    public Value10 UserId { get; }

    public Value10 To { get; }

    public Value10 Subject { get; }

    public Value10 ReplyTo { get; }

    public Value10 CorrelationId { get; }

    public Value10 ContentType { get; }

    public Value10 ContentEncoding { get; }

    public Value10 AbsoluteExpiryTime { get; }

    public Value10 CreationTime { get; }

    public Value10 GroupId { get; }

    public Value10 GroupSequence { get; }

    public Value10 ReplyToGroupId { get; }
}
