using System.Text;

namespace Harrier.TestSupport;

/// <summary>A message that a client has received: by basic.deliver, basic.get-ok or basic.return.</summary>
public sealed record WireContent
{
    /// <summary>Of a delivery.</summary>
    public string ConsumerTag { get; init; } = "";

    /// <summary>Of a delivery or get.</summary>
    public ulong DeliveryTag { get; init; }

    /// <summary>Of a delivery or get.</summary>
    public bool Redelivered { get; init; }

    public string Exchange { get; init; } = "";

    public string RoutingKey { get; init; } = "";

    /// <summary>Of a get.</summary>
    public uint MessageCount { get; init; }

    /// <summary>Of a return.</summary>
    public int ReplyCode { get; init; }

    /// <summary>Of a return.</summary>
    public string ReplyText { get; init; } = "";

    /// <summary>The property flags and list as they came.</summary>
    public byte[] Properties { get; init; } = [];

    public byte[] Body { get; init; } = [];

    /// <summary>Sizes of the body frames on the wire.</summary>
    public IReadOnlyList<int> BodyFrameSizes { get; init; } = [];

    public string Text => Encoding.UTF8.GetString(Body);
}
