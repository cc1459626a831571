using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Policies;

/// <summary>
/// The keys of policies (behaviour section 1.5): which there are, with which values, which of them operators may set, and which queue types a policy
/// with such a key is not for.
/// </summary>
internal static class PolicyKeys
{
    private static readonly string[] Locators = ["client-local", "balanced", "random", "least-leaders"];

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        ["alternate-exchange"] = new(IsName, "alternate exchange name"),
        ["dead-letter-exchange"] = new(IsName, "dead letter exchange name"),
        ["dead-letter-routing-key"] = new(IsName, "dead letter routing key"),
        ["dead-letter-strategy"] = new(v => IsOneOf(v, "at-most-once", "at-least-once"), "dead letter strategy", NotFor: Types.Classic),
        ["message-ttl"] = new(v => IsAtLeast(v, 0), "message TTL", IsForOperators: true),
        ["expires"] = new(v => IsAtLeast(v, 1), "queue expiry", IsForOperators: true),
        ["max-length"] = new(v => IsAtLeast(v, 0), "maximum length", IsForOperators: true),
        ["max-length-bytes"] = new(v => IsAtLeast(v, 0), "maximum length in bytes", IsForOperators: true),
        ["max-in-memory-length"] = new(v => IsAtLeast(v, 0), "maximum memory in bytes", IsForOperators: true, NotFor: Types.Classic),
        ["max-in-memory-bytes"] = new(v => IsAtLeast(v, 0), "maximum memory in bytes", IsForOperators: true, NotFor: Types.Classic),
        ["overflow"] = new(v => IsOneOf(v, QueueArguments.Overflows), "overflow value", IsForOperators: true),
        ["delivery-limit"] = new(v => v.IsInteger, "delivery limit", IsForOperators: true, NotFor: Types.Classic),
        ["consumer-timeout"] = new(v => IsAtLeast(v, 0), "consumer timeout"),
        ["consumer-disconnected-timeout"] = new(v => IsAtLeast(v, 0), "consumer disconnected timeout"),
        ["delayed-retry-type"] =
            new(v => IsOneOf(v, QueueArguments.DelayedRetryTypes), "delayed retry type", IsForOperators: true, NotFor: Types.Classic),
        ["delayed-retry-min"] = new(v => IsAtLeast(v, 1), "delayed retry min", IsForOperators: true, NotFor: Types.Classic),
        ["delayed-retry-max"] = new(v => IsAtLeast(v, 1), "delayed retry max", IsForOperators: true, NotFor: Types.Classic),
        ["queue-mode"] = new(v => IsOneOf(v, "default", "lazy"), "queue-mode value", NotFor: Types.Quorum),
        ["queue-version"] = new(v => v.IsInteger && v.Integer is 1 or 2, "queue-version value", IsForOperators: true),
        ["queue-leader-locator"] = new(v => IsOneOf(v, Locators), "queue leader locator value"),
        ["queue-master-locator"] = new(v => IsOneOf(v, [.. Locators, "min-masters"]), "master locator", IsForOperators: true, NotFor: Types.Quorum),
        ["target-group-size"] = new(v => IsAtLeast(v, 1), "qq target count value", IsForOperators: true, NotFor: Types.Classic),
        ["max-age"] = new(IsAge, "max age", NotFor: Types.Both),
        ["stream-max-segment-size-bytes"] = new(v => IsAtLeast(v, 0) && v.Integer <= 3_000_000_000, "segment size", NotFor: Types.Both),
        ["stream-filter-size-bytes"] = new(v => v.IsInteger && v.Integer is >= 16 and <= 255, "filter size. Valid range is 16-255"),
        ["initial-cluster-size"] = new(v => IsAtLeast(v, 0), "cluster size", NotFor: Types.Both),
        [Exchange.DelayPolicyKey] = new(v => v.Kind == ArgumentKind.Boolean, "delayed message value"), // Harrier's own
    };

    [Flags]
    private enum Types
    {
        None = 0,
        Classic = 1,
        Quorum = 2,
        Both = Classic | Quorum,
    }

    /// <summary>What is wrong with a definition, in RabbitMQ's words and order; null when nothing is.</summary>
    public static string? Check(PolicyKind kind, ArgumentTable definition)
    {
        if (definition.Count == 0) return "no policy provided";
        Argument[] fields = [.. definition.OrderBy(f => f.Name, StringComparer.Ordinal)];
        string[] duplicates = [.. fields.Skip(1).Where((f, i) => f.Name == fields[i].Name).Select(f => ErlangTerm.Binary(f.Name))];
        if (duplicates.Length > 0) return $"[{string.Join(',', duplicates)}] duplicate keys not allowed";
        foreach (Argument field in fields)
        {
            if (Find(kind, field) is { } rule && !rule.IsValid(field.Value)) return $"{ErlangTerm.Of(field.Value)} is not a valid {rule.Text}";
        }
        Argument[] unknown = [.. fields.Where(f => Find(kind, f) is null)];
        return unknown.Length > 0 ? $"{ErlangTerm.Of(unknown)} are not recognised policy settings" : DelayedRetryArguments.Check(definition, "");
    }

    /// <summary>Whether every key of a definition means something to queues of that type: if one does not, the policy is not for them, as in RabbitMQ.</summary>
    public static bool AreFor(QueueType type, ArgumentTable definition)
    {
        Types wanted = type == QueueType.Quorum ? Types.Quorum : Types.Classic;
        foreach (Argument field in definition)
            if (Rules.TryGetValue(field.Name, out Rule? rule) && rule.NotFor.HasFlag(wanted)) return false;
        return true;
    }

    private static Rule? Find(PolicyKind kind, in Argument field) =>
        Rules.TryGetValue(field.Name, out Rule? rule) && (kind == PolicyKind.User || rule.IsForOperators) ? rule : null;

    private static bool IsName(ArgumentValue value) => value.Kind == ArgumentKind.Text && value.Content.Length <= Utf8Name.SizeMax;

    private static bool IsAtLeast(ArgumentValue value, long min) => value.IsInteger && value.Integer >= min;

    private static bool IsOneOf(ArgumentValue value, params ReadOnlySpan<string> allowed) => value.Kind == ArgumentKind.Text && allowed.Contains(value.Text);

    private static bool IsAge(ArgumentValue value)
    {
        if (value.Kind != ArgumentKind.Text || value.Content.Length is < 2 or > 20) return false;
        ReadOnlySpan<byte> number = value.Content[..^1];
        return "YMDhms"u8.Contains(value.Content[^1]) && !number.ContainsAnyExceptInRange((byte)'0', (byte)'9') && number.ContainsAnyExcept((byte)'0');
    }

    /// <param name="IsValid">Whether a value will do.</param>
    /// <param name="Text">What the value is not a valid one of, as the refusal says it.</param>
    /// <param name="IsForOperators">Whether operator policies may have it.</param>
    /// <param name="NotFor">Queue types that policies with this key are not for.</param>
    private sealed record Rule(Func<ArgumentValue, bool> IsValid, string Text, bool IsForOperators = false, Types NotFor = Types.None);
}
