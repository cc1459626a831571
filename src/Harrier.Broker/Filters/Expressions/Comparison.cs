using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

internal enum ComparisonOperator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Two values compared: numbers by value, texts octet by octet. Values of different types are unequal, and none is less or greater.</summary>
internal sealed class Comparison(ComparisonOperator comparison, Expression left, Expression right) : Expression(DepthOver(left, right))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message) => Compare(comparison, left.Evaluate(message), right.Evaluate(message));

    public static FilterValue Compare(ComparisonOperator comparison, FilterValue left, FilterValue right)
    {
        if (left.IsUnknown || right.IsUnknown) return FilterValue.Unknown;
        return FilterValue.Of(comparison switch
        {
            ComparisonOperator.Equal => FilterValue.AreEqual(left, right),
            ComparisonOperator.NotEqual => !FilterValue.AreEqual(left, right),
            _ => OrderOf(left, right) is { } order && Holds(comparison, order),
        });
    }

    private static bool Holds(ComparisonOperator comparison, int order) => comparison switch
    {
        ComparisonOperator.Less => order < 0,
        ComparisonOperator.LessOrEqual => order <= 0,
        ComparisonOperator.Greater => order > 0,
        _ => order >= 0,
    };

    // Null when the two have no order; not a number has none with anything.
    private static int? OrderOf(FilterValue left, FilterValue right)
    {
        if (left.Kind == FilterValueKind.Text && right.Kind == FilterValueKind.Text) return left.Text.SequenceCompareTo(right.Text);
        if (!left.IsNumber || !right.IsNumber) return null;
        if (left.Kind == FilterValueKind.Whole && right.Kind == FilterValueKind.Whole) return left.Whole.CompareTo(right.Whole);
        return double.IsNaN(left.Real) || double.IsNaN(right.Real) ? null : left.Real.CompareTo(right.Real);
    }
}

/// <summary>A value between two others, or one of them: <c>low &lt;= value AND value &lt;= high</c>.</summary>
internal sealed class Between(Expression value, Expression low, Expression high) : Expression(DepthOver(value, low, high))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue middle = value.Evaluate(message);
        FilterValue isAbove = Comparison.Compare(ComparisonOperator.GreaterOrEqual, middle, low.Evaluate(message));
        if (isAbove.IsFalse) return isAbove;
        FilterValue isBelow = Comparison.Compare(ComparisonOperator.LessOrEqual, middle, high.Evaluate(message));
        return isBelow.IsFalse || isAbove.IsTrue ? isBelow : FilterValue.Unknown;
    }
}

/// <summary>A value that is one of a list. Unknown ones in the list are equal to nothing (as in RabbitMQ).</summary>
internal sealed class Membership(Expression value, Expression[] list) : Expression(Math.Max(DepthOver(list), DepthOver(value)))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue wanted = value.Evaluate(message);
        if (wanted.IsUnknown) return wanted;
        foreach (Expression item in list)
        {
            if (FilterValue.AreEqual(wanted, item.Evaluate(message))) return FilterValue.Of(true);
        }
        return FilterValue.Of(false);
    }
}

/// <summary>Whether a value is unknown; itself never unknown.</summary>
internal sealed class NullTest(Expression value) : Expression(DepthOver(value))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message) => FilterValue.Of(value.Evaluate(message).IsUnknown);
}

/// <summary>A text compared with a pattern; unknown for what is no text.</summary>
internal sealed class Likeness(Expression value, LikePattern pattern) : Expression(DepthOver(value))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue text = value.Evaluate(message);
        return text.Kind == FilterValueKind.Text ? FilterValue.Of(pattern.Matches(text.Text)) : FilterValue.Unknown;
    }
}
