using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Sends each message to one destination by a hash of it; binding keys are weights. A change of the bindings moves as few hashes as can be.</summary>
internal sealed class ConsistentHashTable(HashInput input, ImmutableArray<Binding> bindings) : IBindingTable
{
    /// <summary>The greatest weight. RabbitMQ has no limit and makes a bucket for each unit.</summary>
    public const int WeightMax = int.MaxValue;

    // Made by the first message and not with the table: a thousand bindings come before the first message.
    private HashShares? _shares;

    public bool MatchesByKey => false;

    /// <summary>The first binding to a destination says its weight.</summary>
    public ImmutableArray<Binding> Ordered => bindings;

    public static ConsistentHashTable Empty(HashInput input) => new(input, []);

    public IBindingTable With(Binding binding) => new ConsistentHashTable(input, bindings.Add(binding));

    public IBindingTable Without(Binding binding) => new ConsistentHashTable(input, bindings.Remove(binding));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        if (bindings.IsEmpty) return;
        _shares ??= new HashShares(bindings);
        routes.Add(_shares.Find(input.Hash(routingKey, message, routes)));
    }

    /// <summary>Refuses a binding key that is no weight.</summary>
    public static void Validate(Utf8Name bindingKey)
    {
        long weight = ReadWeight(bindingKey.Span) ?? throw ErrorCatalogue.HashWeightNotInteger(bindingKey);
        if (weight < 1) throw ErrorCatalogue.HashWeightTooLow();
        if (weight > WeightMax) throw ErrorCatalogue.HashWeightTooHigh(WeightMax);
    }

    /// <summary>The whole number of a binding key as Erlang reads one (digits after at most one sign), at most just beyond the limit; else null.</summary>
    public static long? ReadWeight(ReadOnlySpan<byte> bindingKey)
    {
        bool isNegative = bindingKey.StartsWith("-"u8);
        ReadOnlySpan<byte> digits = isNegative || bindingKey.StartsWith("+"u8) ? bindingKey[1..] : bindingKey;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return null;
        long weight = 0;
        foreach (byte digit in digits) weight = Math.Min(weight * 10 + (digit - '0'), WeightMax + 1L);
        return isNegative ? -weight : weight;
    }
}
