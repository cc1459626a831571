namespace Harrier.Broker.Messages;

/// <summary>Why a message left its queue without having been accepted (behaviour section 1.6).</summary>
public enum DeathReason : byte
{
    /// <summary>A consumer refused it for good.</summary>
    Rejected,

    /// <summary>Its time was up.</summary>
    Expired,

    /// <summary>The queue was full.</summary>
    MaxLength,

    /// <summary>It was delivered in vain too often.</summary>
    DeliveryLimit,
}

/// <summary>Where a message died, and the address under which it had come there.</summary>
public readonly record struct DeathPlace(Utf8Name Queue, Utf8Name Exchange, Utf8Name RoutingKey);

/// <summary>One death of a message. What else a death tells (exchange, routing keys, expiration) stands in the message itself.</summary>
/// <param name="Queue">The queue that it died in.</param>
/// <param name="Reason">Why.</param>
/// <param name="TimeMs">When, in milliseconds since 1970.</param>
public readonly record struct Death(Utf8Name Queue, DeathReason Reason, long TimeMs)
{
    // In the order of the enumeration.
    private static readonly string[] Names = ["rejected", "expired", "maxlen", "delivery_limit"];

    /// <summary>How headers spell a reason.</summary>
    public static string NameOf(DeathReason reason) => Names[(int)reason];
}
