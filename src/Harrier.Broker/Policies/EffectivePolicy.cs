using Harrier.Broker.Messages;

namespace Harrier.Broker.Policies;

/// <summary>What applies to one queue or exchange: at most one policy and one operator policy, and what they come to together.</summary>
public sealed record EffectivePolicy(Policy? Policy, Policy? Operator)
{
    /// <summary>No policy applies.</summary>
    public static EffectivePolicy None { get; } = new(null, null);

    /// <summary>The keys of both; where both have one, the stricter value (behaviour section 1.5).</summary>
    public ArgumentTable Definition { get; } = Merge(Policy?.Definition, Operator?.Definition);

    private static ArgumentTable Merge(ArgumentTable? ofUser, ArgumentTable? ofOperator)
    {
        if (ofUser is null || ofOperator is null) return ofUser ?? ofOperator ?? ArgumentTable.Empty;
        IEnumerable<Argument> merged = ofUser
            .Select(f => ofOperator.TryGet(f.Name, out ArgumentValue bound) ? f with { Value = Merge(f.Name, f.Value, bound) } : f)
            .Concat(ofOperator.Where(f => ofUser.Find(f.Name) is null));
        return new ArgumentTable([.. merged.OrderBy(f => f.Name, StringComparer.Ordinal)]);
    }

    private static ArgumentValue Merge(string key, in ArgumentValue ofUser, in ArgumentValue ofOperator)
    {
        if (!ofUser.IsInteger || !ofOperator.IsInteger || key == "queue-version") return ofOperator;
        if (key == "delivery-limit") return ArgumentValue.Of(DeliveryLimits.Stricter(ofUser.Integer, ofOperator.Integer));
        return ofUser.Integer < ofOperator.Integer ? ofUser : ofOperator;
    }
}

/// <summary>Delivery limits, of which negative ones mean that there is none.</summary>
internal static class DeliveryLimits
{
    /// <summary>The lower one of two limits; the only one, when the other is none.</summary>
    public static long Stricter(long a, long b) => a < 0 || b < 0 ? Math.Max(a, b) : Math.Min(a, b);
}
