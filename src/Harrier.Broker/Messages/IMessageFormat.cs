namespace Harrier.Broker.Messages;

/// <summary>
/// What the broker needs to know of a message's property section, whose bytes it never interprets itself. One implementation per protocol.
/// </summary>
public interface IMessageFormat
{
    /// <summary>The number under which messages of this format are stored, for good: 1 is 0-9-1.</summary>
    byte Id { get; }

    /// <summary>The value of an application header, or false when it is absent. Source: 0-9-1 <c>headers</c>, 1.0 application properties.</summary>
    bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value);

    /// <summary>The value of a property, or false when it is absent.</summary>
    bool TryFindProperty(ReadOnlySpan<byte> properties, MessageProperty property, out HeaderValue value);

    /// <summary>
    /// The property section of a message that is dead-lettered: the death noted, the expiration taken out (behaviour note 100). Deaths that it names already
    /// count only when <see cref="Message.HasDeaths"/> says that the broker wrote them.
    /// </summary>
    /// <param name="message">The message that has died.</param>
    /// <param name="death">This death.</param>
    /// <param name="keepsCarbonCopies">Whether it goes on to the keys that it had; another key replaces all of them.</param>
    byte[] WithDeath(Message message, in Death death, bool keepsCarbonCopies);

    /// <summary>Where the message died last and how it had been published, or null when no broker has noted that.</summary>
    DeathPlace? FindLastDeath(Message message);

    /// <summary>Whether the message, dead already, was in that queue before and nobody has rejected it since (behaviour note 101).</summary>
    bool HasCycle(Message message, Utf8Name queue);

    /// <summary>The property section of a message whose delay (header <c>x-delay</c>) is over: the header is there, negative, so that nothing delays it again.</summary>
    byte[] AfterDelay(ReadOnlySpan<byte> properties);
}

/// <summary>
/// Properties that an exchange can be told to look at, or a filter: those of 1.0 (part 3, section 3.2.4), and what 0-9-1 has besides. Texts, unless said
/// otherwise. A format that lacks one finds it absent.
/// </summary>
public enum MessageProperty
{
    /// <summary>Of any type in 1.0.</summary>
    MessageId,

    /// <summary>Of any type in 1.0.</summary>
    CorrelationId,

    /// <summary>When it was made: a timestamp.</summary>
    Timestamp,

    UserId,
    To,
    Subject,
    ReplyTo,
    ContentType,
    ContentEncoding,

    /// <summary>A timestamp.</summary>
    AbsoluteExpiryTime,

    /// <summary>What 0-9-1 calls <see cref="Timestamp"/>.</summary>
    CreationTime,

    /// <summary>In 0-9-1, where groups are unknown, the application id, as RabbitMQ converts it.</summary>
    GroupId,

    /// <summary>A whole number.</summary>
    GroupSequence,

    ReplyToGroupId,

    /// <summary>0-9-1's type.</summary>
    Type,
}

/// <summary>A header or property value where it stands in a message.</summary>
public readonly ref struct HeaderValue(ArgumentKind kind, long integer, double real, ReadOnlySpan<byte> content)
{
    private readonly ArgumentKind _kind = kind;
    private readonly long _integer = integer;
    private readonly double _real = real;
    private readonly ReadOnlySpan<byte> _content = content;

    /// <summary>The bytes of a text or byte array; empty for other kinds.</summary>
    public ReadOnlySpan<byte> Content => _kind is ArgumentKind.Text or ArgumentKind.Bytes ? _content : default;

    /// <summary>The number of an integer of any width, or null for other kinds.</summary>
    public long? Integer => _kind is >= ArgumentKind.SignedByte and <= ArgumentKind.SignedLong ? _integer : null;

    /// <summary>A boolean, or null for other kinds.</summary>
    public bool? Boolean => _kind == ArgumentKind.Boolean ? _integer != 0 : null;

    /// <summary>The milliseconds of a timestamp beyond its last full second.</summary>
    public int SubsecondMs { get; init; }

    /// <summary>A timestamp in milliseconds since 1970, the last or first one that they can express at most; null for other kinds.</summary>
    public long? TimeMs => _kind == ArgumentKind.Timestamp ? Math.Clamp(_integer, long.MinValue / 1000, long.MaxValue / 1000) * 1000 + SubsecondMs : null;

    /// <summary>The number of a float or double, or null for other kinds.</summary>
    public double? Real => _kind is ArgumentKind.Float or ArgumentKind.Double ? _real : null;

    public ArgumentKind Kind => _kind;

    /// <summary>A <see cref="StableHash"/> of the value. Whole numbers of any width that are equal have the same.</summary>
    internal ulong ToStableHash() => _kind switch
    {
        ArgumentKind.Text or ArgumentKind.Bytes or ArgumentKind.Decimal or ArgumentKind.Array or ArgumentKind.Table or ArgumentKind.Void =>
            StableHash.Of(_content),
        ArgumentKind.Float or ArgumentKind.Double => StableHash.Of(BitConverter.DoubleToInt64Bits(_real)),
        _ => StableHash.Of(_integer),
    };

    /// <summary>Equal as the headers exchange compares (behaviour note 50): the width of a number does not matter, a float is no integer.</summary>
    public bool Matches(in ArgumentValue wanted) => wanted.Kind switch
    {
        ArgumentKind.Void => true, // presence is enough
        ArgumentKind.Float or ArgumentKind.Double => _kind is ArgumentKind.Float or ArgumentKind.Double && _real.Equals(wanted.Real),
        ArgumentKind.Text or ArgumentKind.Bytes => _kind is ArgumentKind.Text or ArgumentKind.Bytes && _content.SequenceEqual(wanted.Content),
        ArgumentKind.Boolean or ArgumentKind.Timestamp => _kind == wanted.Kind && _integer == wanted.Integer,
        ArgumentKind.Decimal => _kind == ArgumentKind.Decimal && _content.SequenceEqual(wanted.Content),
        ArgumentKind.Array or ArgumentKind.Table => false,
        _ => _kind is >= ArgumentKind.SignedByte and <= ArgumentKind.SignedLong && _integer == wanted.Integer,
    };
}
