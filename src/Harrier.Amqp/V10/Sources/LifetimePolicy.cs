using Harrier.Amqp.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Sources;

/// <summary>When a node ends that was made for a link (1.0 part 3, sections 3.5.10 to 3.5.13); at the latest with its connection.</summary>
internal enum LifetimePolicy
{
    /// <summary>With the link that it was made for.</summary>
    DeleteOnClose,

    /// <summary>When that link and all others to and from it are gone.</summary>
    DeleteOnNoLinks,

    /// <summary>When that link is gone and no message is left.</summary>
    DeleteOnNoMessages,

    /// <summary>When all links are gone and no message is left.</summary>
    DeleteOnNoLinksOrMessages,
}

/// <summary>Reads what a peer asks of the nodes that are made for it.</summary>
internal static class NodeProperties
{
    /// <summary>The lifetime policy among encoded node properties (1.0 part 3, section 3.5.9). One that does not exist throws <c>amqp:invalid-field</c>.</summary>
    public static LifetimePolicy ReadPolicy(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return LifetimePolicy.DeleteOnClose;
        var properties = new ValueReader(encoded);
        Value10 policy = MapReader10.Find(Value10.Read(ref properties), "lifetime-policy"u8);
        if (policy.IsNull) return LifetimePolicy.DeleteOnClose;
        var reader = new ValueReader(policy.Encoded);
        return reader.ReadDescriptor() switch
        {
            DeleteOnClose.Code => LifetimePolicy.DeleteOnClose,
            DeleteOnNoLinks.Code => LifetimePolicy.DeleteOnNoLinks,
            DeleteOnNoMessages.Code => LifetimePolicy.DeleteOnNoMessages,
            DeleteOnNoLinksOrMessages.Code => LifetimePolicy.DeleteOnNoLinksOrMessages,
            _ => throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "there is no such lifetime policy"),
        };
    }
}
