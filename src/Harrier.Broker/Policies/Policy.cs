using System.Diagnostics.CodeAnalysis;
using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Policies;

/// <summary>Who sets a policy. The numbers stand on disk.</summary>
public enum PolicyKind : byte
{
    /// <summary>Somebody who may administer a virtual host.</summary>
    User = 0,

    /// <summary>The operator of the broker: bounds what users ask for.</summary>
    Operator = 1,
}

/// <summary>What a policy is for. The numbers stand on disk.</summary>
public enum PolicyTarget : byte
{
    All = 0,
    Exchanges = 1,
    Queues = 2,
    ClassicQueues = 3,
    QuorumQueues = 4,
    Streams = 5,
}

/// <summary>A policy as somebody has written it down; nothing is checked yet.</summary>
/// <param name="Name">Its name among those of its virtual host and kind.</param>
/// <param name="Pattern">The regular expression that names are to match.</param>
/// <param name="ApplyTo">One of <see cref="PolicyTargets"/>' names.</param>
/// <param name="Priority">The highest one applies.</param>
/// <param name="Definition">Keys and values.</param>
public sealed record PolicyDraft(string Name, string Pattern, string ApplyTo, long Priority, ArgumentTable Definition);

/// <summary>A policy that was checked. Immutable.</summary>
public sealed class Policy
{
    private const int NameBytesMax = 255;

    internal Policy(PolicyKind kind, string name, PolicyPattern pattern, PolicyTarget appliesTo, long priority, ArgumentTable definition)
    {
        Kind = kind;
        Name = name;
        Pattern = pattern;
        AppliesTo = appliesTo;
        Priority = priority;
        Definition = definition;
    }

    public PolicyKind Kind { get; }

    public string Name { get; }

    public PolicyPattern Pattern { get; }

    public PolicyTarget AppliesTo { get; }

    public long Priority { get; }

    public ArgumentTable Definition { get; }

    /// <summary>Checks a draft; what is wrong with it comes as one text, which is RabbitMQ's.</summary>
    public static bool TryCreate(PolicyKind kind, PolicyDraft draft, [NotNullWhen(true)] out Policy? policy, [NotNullWhen(false)] out string? refusal)
    {
        List<string> errors = [];
        if (PolicyKeys.Check(kind, draft.Definition) is { } ofDefinition) errors.Add(ofDefinition);
        if (!PolicyTargets.TryParse(draft.ApplyTo, out PolicyTarget target)) errors.Add(PolicyTargets.Unrecognised(draft.ApplyTo));
        if (PolicyPattern.Check(draft.Pattern) is { } ofPattern) errors.Add(ofPattern);
        if (Encoding.UTF8.GetByteCount(draft.Name) is 0 or > NameBytesMax) errors.Add($"name should have 1 to {NameBytesMax} bytes");
        bool isValid = errors.Count == 0;
        policy = isValid ? new Policy(kind, draft.Name, new PolicyPattern(draft.Pattern), target, draft.Priority, draft.Definition) : null;
        refusal = isValid ? null : "Validation failed\n\n" + string.Concat(errors.Select(e => e + "\n"));
        return isValid;
    }
}

/// <summary>The names of what policies are for.</summary>
public static class PolicyTargets
{
    // In the order of the enumeration.
    private static readonly string[] Names = ["all", "exchanges", "queues", "classic_queues", "quorum_queues", "streams"];

    public static string NameOf(PolicyTarget target) => Names[(int)target];

    public static bool TryParse(string name, out PolicyTarget target)
    {
        int index = Array.IndexOf(Names, name);
        target = (PolicyTarget)Math.Max(index, 0);
        return index >= 0;
    }

    // The two spaces are RabbitMQ's.
    internal static string Unrecognised(string name) =>
        $"apply-to '{name}' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'";
}
