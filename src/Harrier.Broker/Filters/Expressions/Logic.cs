using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>
/// Conditions with AND between them: false when one is, else unknown when one is (JMS section 3.8.1.2). A value that is neither true nor false is unknown.
/// </summary>
internal sealed class Conjunction(Expression[] conditions) : Expression(DepthOver(conditions))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        bool isKnown = true;
        foreach (Expression condition in conditions)
        {
            FilterValue value = condition.Evaluate(message);
            if (value.IsFalse) return value;
            isKnown &= value.IsTrue;
        }
        return isKnown ? FilterValue.Of(true) : FilterValue.Unknown;
    }
}

/// <summary>Conditions with OR between them: true when one is, else unknown when one is.</summary>
internal sealed class Disjunction(Expression[] conditions) : Expression(DepthOver(conditions))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        bool isKnown = true;
        foreach (Expression condition in conditions)
        {
            FilterValue value = condition.Evaluate(message);
            if (value.IsTrue) return value;
            isKnown &= value.IsFalse;
        }
        return isKnown ? FilterValue.Of(false) : FilterValue.Unknown;
    }
}

/// <summary>The opposite of a condition; of the unknown, the unknown.</summary>
internal sealed class Negation(Expression condition) : Expression(DepthOver(condition))
{
    public override bool IsCondition => true;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue value = condition.Evaluate(message);
        if (value.IsTrue) return FilterValue.Of(false);
        return value.IsFalse ? FilterValue.Of(true) : FilterValue.Unknown;
    }
}
