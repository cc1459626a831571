namespace Harrier.Broker.Filters.Expressions;

/// <summary>What one language for expressions does differently from another. Lexer, parser and evaluator are the same.</summary>
internal abstract class Dialect
{
    /// <summary>Whether numbers are written as in Java: <c>0x1F</c>, <c>017</c>, <c>1L</c>, <c>1.5f</c>. Else <c>0x1F</c> stands for octets.</summary>
    public abstract bool HasJavaNumbers { get; }

    /// <summary>Whether double quotes enclose a name. Else they enclose a text, and brackets the name of an application property.</summary>
    public abstract bool QuotesNames { get; }

    public abstract bool HasBetween { get; }

    public abstract ArithmeticOperator Division { get; }

    /// <summary>What a name stands for, or null when it can be none.</summary>
    public abstract Expression? Find(string name);
}
