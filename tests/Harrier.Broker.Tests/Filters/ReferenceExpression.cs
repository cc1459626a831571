using System.Text;
using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Tests.Filters;

/// <summary>
/// Expressions as plainly as they can be written down: a text in which everything stands in parentheses, and its value as an object, null for the unknown.
/// </summary>
internal sealed record ReferenceExpression(string Text, Func<IReadOnlyDictionary<string, object?>, object?> Evaluate)
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private static readonly string[] Texts = ["", "a", "ab", "ba", "aab"];
    private static readonly string[] Patterns = ["", "a", "a%", "%b", "_b", "%a%", "a_%"];
    private static readonly long[] Wholes = [0, 1, -1, 2, 7, long.MaxValue, long.MinValue];
    private static readonly double[] Reals = [0.0, 1.0, -1.5, 2.5, 1e300];

    /// <summary>Headers of a message by name; some are missing.</summary>
    public static Gen<(string Name, ArgumentValue Value)[]> Headers { get; } =
        from values in Gen.OneOf(
            Gen.Elements(Wholes).Select(ArgumentValue.Of),
            Gen.Elements(Reals).Select(real => ArgumentValue.OfReal(ArgumentKind.Double, real)),
            Gen.Elements(Texts).Select(ArgumentValue.Of),
            Gen.Elements(true, false).Select(ArgumentValue.Of),
            Gen.Constant(default(ArgumentValue))).ArrayOf(Names.Length - 1)
        select Names.Zip(values).ToArray();

    /// <summary>Conditions in the language that divides as it is said.</summary>
    public static Gen<ReferenceExpression> Conditions(bool dividesExactly, int depth)
    {
        Gen<ReferenceExpression> values = Values(dividesExactly, 2);
        Gen<ReferenceExpression> plain = Gen.OneOf(
            from name in Gen.Elements(Names) select Field(name),
            from truth in Gen.Elements(true, false) select new ReferenceExpression(truth ? "TRUE" : "FALSE", _ => truth),
            from l in values from op in Gen.Elements("=", "<>", "<", "<=", ">", ">=") from r in values select Binary(l, op, r, (x, y) => Compare(op, x, y)),
            from value in values from list in values.ArrayOf(3) from not in Gen.Elements(true, false) select In(value, list, not),
            from value in values from pattern in Gen.Elements(Patterns) from not in Gen.Elements(true, false) select Like(value, pattern, not),
            from value in values from not in Gen.Elements(true, false)
            select new ReferenceExpression($"({value.Text} IS {(not ? "NOT " : "")}NULL)", h => value.Evaluate(h) is null != not));
        if (depth == 0) return plain;
        Gen<ReferenceExpression> inner = Conditions(dividesExactly, depth - 1);
        return Gen.OneOf(
            plain,
            inner.Select(condition => new ReferenceExpression($"(NOT {condition.Text})", h => condition.Evaluate(h) is bool truth ? !truth : null)),
            from l in inner from r in inner select Binary(l, "AND", r, (x, y) => x is false || y is false ? false : x is true && y is true ? true : null),
            from l in inner from r in inner select Binary(l, "OR", r, (x, y) => x is true || y is true ? true : x is false && y is false ? false : null));
    }

    private static Gen<ReferenceExpression> Values(bool dividesExactly, int depth)
    {
        Gen<ReferenceExpression> plain = Gen.OneOf(
            from name in Gen.Elements(Names) select Field(name),
            from text in Gen.Elements(Texts) select new ReferenceExpression($"'{text}'", _ => text),
            from whole in Gen.Elements(Wholes).Where(w => w != long.MinValue) select new ReferenceExpression($"({whole})", _ => whole),
            from real in Gen.Elements(Reals) select new ReferenceExpression($"({real:0.0###})", _ => real));
        if (depth == 0) return plain;
        Gen<ReferenceExpression> inner = Values(dividesExactly, depth - 1);
        return Gen.OneOf(
            plain,
            plain,
            inner.Select(value => new ReferenceExpression($"(-{value.Text})", h => Calculate("*", value.Evaluate(h), -1L, false))),
            from l in inner from op in Gen.Elements("+", "-", "*", "/", "%") from r in inner
            select Binary(l, op, r, (x, y) => Calculate(op, x, y, dividesExactly)));
    }

    private static ReferenceExpression Field(string name) => new(name, headers => headers.GetValueOrDefault(name));

    private static ReferenceExpression Binary(ReferenceExpression left, string op, ReferenceExpression right, Func<object?, object?, object?> evaluate) =>
        new($"({left.Text} {op} {right.Text})", headers => evaluate(left.Evaluate(headers), right.Evaluate(headers)));

    private static ReferenceExpression In(ReferenceExpression value, ReferenceExpression[] list, bool not) =>
        new($"({value.Text} {(not ? "NOT " : "")}IN ({string.Join(", ", list.Select(item => item.Text))}))",
            headers => value.Evaluate(headers) is { } x ? list.Any(item => AreEqual(x, item.Evaluate(headers))) != not : null);

    private static ReferenceExpression Like(ReferenceExpression value, string pattern, bool not) =>
        new($"({value.Text} {(not ? "NOT " : "")}LIKE '{pattern}')",
            headers => value.Evaluate(headers) is string text ? Regex.IsMatch(text, $@"\A{pattern.Replace("%", ".*").Replace('_', '.')}\z") != not : null);

    private static bool? Compare(string op, object? left, object? right)
    {
        if (left is null || right is null) return null;
        if (op is "=" or "<>") return AreEqual(left, right) == (op == "=");
        int order;
        if (left is string l && right is string r) order = Encoding.UTF8.GetBytes(l).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(r));
        else if (left is long x && right is long y) order = x.CompareTo(y);
        else if (AsReal(left) is { } p && AsReal(right) is { } q)
        {
            if (double.IsNaN(p) || double.IsNaN(q)) return false;
            order = p.CompareTo(q);
        }
        else return false;
        return op switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static bool AreEqual(object? left, object? right)
    {
        if (left is long x && right is long y) return x == y;
        if (AsReal(left) is { } p && AsReal(right) is { } q) return p == q;
        return left is not null && left.Equals(right);
    }

    private static object? Calculate(string op, object? left, object? right, bool dividesExactly)
    {
        if (AsReal(left) is not { } p || AsReal(right) is not { } q) return null;
        if (op is "/" or "%" && q == 0) return null;
        if (left is long x && right is long y && !(op == "/" && dividesExactly))
        {
            Int128 exact = op switch { "+" => (Int128)x + y, "-" => (Int128)x - y, "*" => (Int128)x * y, "/" => (Int128)x / y, _ => (Int128)x % y };
            if (exact >= long.MinValue && exact <= long.MaxValue) return (long)exact;
        }
        return op switch { "+" => p + q, "-" => p - q, "*" => p * q, "/" => p / q, _ => null };
    }

    private static double? AsReal(object? value) => value switch { long whole => whole, double real => real, _ => null };
}
