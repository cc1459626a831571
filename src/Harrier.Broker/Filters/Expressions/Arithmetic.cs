using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

internal enum ArithmeticOperator
{
    Add,
    Subtract,
    Multiply,

    /// <summary>Of whole numbers, a whole number (JMS).</summary>
    Divide,

    /// <summary>Always a floating-point number (RabbitMQ).</summary>
    DivideExactly,

    /// <summary>Of whole numbers only.</summary>
    Remainder,
}

/// <summary>
/// Two numbers and an operator. Floating-point when one of them is, or when the result is too large for 64 bits; unknown for what is no number, and for
/// division by zero.
/// </summary>
internal sealed class Arithmetic(ArithmeticOperator operation, Expression left, Expression right) : Expression(DepthOver(left, right))
{
    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue l = left.Evaluate(message), r = right.Evaluate(message);
        if (!l.IsNumber || !r.IsNumber) return FilterValue.Unknown;
        return l.Kind == FilterValueKind.Whole && r.Kind == FilterValueKind.Whole ? OfWhole(l.Whole, r.Whole) : OfReal(l.Real, r.Real);
    }

    private FilterValue OfWhole(long l, long r)
    {
        switch (operation)
        {
            case ArithmeticOperator.Add:
                long sum = unchecked(l + r);
                return ((l ^ sum) & (r ^ sum)) < 0 ? OfReal(l, r) : FilterValue.Of(sum);
            case ArithmeticOperator.Subtract:
                long difference = unchecked(l - r);
                return ((l ^ r) & (l ^ difference)) < 0 ? OfReal(l, r) : FilterValue.Of(difference);
            case ArithmeticOperator.Multiply:
                long high = Math.BigMul(l, r, out long product);
                return high == product >> 63 ? FilterValue.Of(product) : OfReal(l, r);
            case ArithmeticOperator.Divide when r == -1 && l == long.MinValue:
            case ArithmeticOperator.DivideExactly:
                return OfReal(l, r);
            case ArithmeticOperator.Divide:
                return r == 0 ? FilterValue.Unknown : FilterValue.Of(l / r);
            default:
                // The processor traps at the remainder of the least number and -1.
                return r == 0 ? FilterValue.Unknown : FilterValue.Of(r == -1 ? 0 : l % r);
        }
    }

    private FilterValue OfReal(double l, double r) => operation switch
    {
        ArithmeticOperator.Add => FilterValue.Of(l + r),
        ArithmeticOperator.Subtract => FilterValue.Of(l - r),
        ArithmeticOperator.Multiply => FilterValue.Of(l * r),
        ArithmeticOperator.Divide or ArithmeticOperator.DivideExactly when r != 0 => FilterValue.Of(l / r),
        _ => FilterValue.Unknown,
    };
}

/// <summary>A number with a sign in front; unknown for what is no number.</summary>
internal sealed class Sign(bool isMinus, Expression number) : Expression(DepthOver(number))
{
    public override bool IsCondition => false;

    public override FilterValue Evaluate(Message message)
    {
        FilterValue value = number.Evaluate(message);
        if (!value.IsNumber) return FilterValue.Unknown;
        if (!isMinus) return value;
        return value.Kind == FilterValueKind.Whole && value.Whole != long.MinValue ? FilterValue.Of(-value.Whole) : FilterValue.Of(-value.Real);
    }
}
