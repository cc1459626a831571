using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Conversion;

/// <summary>Walks the fields of a composite value or the items of a list. Those that were left out at its end are null (1.0 part 1, section 1.4).</summary>
internal ref struct ListReader10
{
    private ValueReader _items;

    public ListReader10(Value10 list)
    {
        if (list.IsList) Left = list.ReadItems(out _items);
    }

    /// <summary>Fields that are there and were not read yet.</summary>
    public int Left { get; private set; }

    /// <summary>The next field.</summary>
    public Value10 Read()
    {
        if (Left == 0) return default;
        Left--;
        return Value10.Read(ref _items);
    }
}

/// <summary>The fields of a header section (1.0 part 3, section 3.2.1). A field of another type than it should have counts as absent.</summary>
internal readonly ref struct HeaderFields10
{
    public HeaderFields10(Value10 header)
    {
        var fields = new ListReader10(header);
        Durable = fields.Read();
        Priority = fields.Read();
        TimeToLive = fields.Read();
        FirstAcquirer = fields.Read();
        DeliveryCount = fields.Read();
    }

    public Value10 Durable { get; }

    public Value10 Priority { get; }

    public Value10 TimeToLive { get; }

    public Value10 FirstAcquirer { get; }

    public Value10 DeliveryCount { get; }
}

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
