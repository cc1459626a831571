using Harrier.Broker.Messages;

namespace Harrier.Broker.Topology;

/// <summary>What the arguments or policy keys of delayed retry need of each other; their own values are checked before.</summary>
internal static class DelayedRetryArguments
{
    /// <summary>What does not go together, or null.</summary>
    /// <param name="table">Arguments, or the definition of a policy.</param>
    /// <param name="prefix">What stands before the names: "x-" in arguments.</param>
    public static string? Check(ArgumentTable table, string prefix)
    {
        ArgumentValue? type = table.Find(prefix + "delayed-retry-type"), min = table.Find(prefix + "delayed-retry-min");
        if (type is { } asked && asked.Text != "disabled" && min is null) return $"delayed-retry-min is required when delayed-retry-type is {asked.Text}";
        if (min is { } from && table.Find(prefix + "delayed-retry-max") is { } to && to.Integer < from.Integer)
            return $"delayed-retry-max ({to.Integer}) must be greater than or equal to delayed-retry-min ({from.Integer})";
        return null;
    }
}
