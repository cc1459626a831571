using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>Where a binding leads: a queue, or an exchange by its name.</summary>
public readonly struct Destination : IEquatable<Destination>
{
    private readonly Utf8Name _exchange;

    public Destination(Queue queue) => Queue = queue;

    public Destination(Utf8Name exchange) => _exchange = exchange;

    /// <summary>The queue, or null when the destination is an exchange.</summary>
    public Queue? Queue { get; }

    public bool IsQueue => Queue is not null;

    public Utf8Name Name => Queue is null ? _exchange : Queue.Name;

    public bool Equals(Destination other) => ReferenceEquals(Queue, other.Queue) && _exchange == other._exchange;

    public override bool Equals(object? obj) => obj is Destination other && Equals(other);

    public override int GetHashCode() => Name.GetHashCode();

    public static bool operator ==(Destination left, Destination right) => left.Equals(right);

    public static bool operator !=(Destination left, Destination right) => !left.Equals(right);
}

/// <summary>
/// A rule of an exchange. Bindings are a set over all four parts (behaviour note 43): the same key with other arguments is another binding.
/// </summary>
public sealed record Binding(Utf8Name Source, Destination Destination, Utf8Name RoutingKey, ArgumentTable Arguments);
