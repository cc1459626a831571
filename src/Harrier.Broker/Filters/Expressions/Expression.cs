using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>A part of a filter's text, parsed: a tree that never changes, asked about one message after the other.</summary>
/// <param name="depth">Levels of the tree from here on; the evaluator needs as many calls.</param>
internal abstract class Expression(int depth)
{
    public int Depth { get; } = depth;

    /// <summary>Whether it can be true or false, so that it says something as a condition.</summary>
    public abstract bool IsCondition { get; }

    /// <summary>Its value for a message. Without allocations.</summary>
    public abstract FilterValue Evaluate(Message message);

    protected static int DepthOver(params ReadOnlySpan<Expression> parts)
    {
        int depth = 0;
        foreach (Expression part in parts) depth = Math.Max(depth, part.Depth);
        return depth + 1;
    }
}

/// <summary>A value that stands in the text.</summary>
internal sealed class Literal(ArgumentValue value) : Expression(1)
{
    public override bool IsCondition => value.Kind == ArgumentKind.Boolean;

    public override FilterValue Evaluate(Message message) => FilterValue.Of(value);
}
