using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Messages;

/// <summary>A named value of an argument table.</summary>
public readonly record struct Argument(string Name, ArgumentValue Value);

/// <summary>
/// The arguments of a declaration or binding: immutable, in the order in which they came. Equality ignores the order, as RabbitMQ does for
/// bindings (behaviour note 43).
/// </summary>
public sealed class ArgumentTable : IReadOnlyList<Argument>, IEquatable<ArgumentTable>
{
    private readonly Argument[] _fields;

    public ArgumentTable(params Argument[] fields) => _fields = fields;

    public static ArgumentTable Empty { get; } = new();

    public int Count => _fields.Length;

    public Argument this[int index] => _fields[index];

    /// <summary>The value of the first argument of that name.</summary>
    public bool TryGet(string name, out ArgumentValue value)
    {
        foreach (Argument field in _fields)
        {
            if (!string.Equals(field.Name, name, StringComparison.Ordinal)) continue;
            value = field.Value;
            return true;
        }
        value = default;
        return false;
    }

    /// <summary>The value of the first argument of that name, or null.</summary>
    public ArgumentValue? Find(string name) => TryGet(name, out ArgumentValue value) ? value : null;

    /// <summary>The text of an argument, or false when it is absent or of another type.</summary>
    public bool TryGetText(string name, [NotNullWhen(true)] out string? text)
    {
        text = TryGet(name, out ArgumentValue value) && value.Kind == ArgumentKind.Text ? value.Text : null;
        return text is not null;
    }

    public bool Equals(ArgumentTable? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || other.Count != Count) return false;
        return Sorted().SequenceEqual(other.Sorted());
    }

    public override bool Equals(object? obj) => Equals(obj as ArgumentTable);

    public override int GetHashCode()
    {
        int hash = 0;
        foreach (Argument field in _fields) hash ^= HashCode.Combine(field.Name, field.Value);
        return hash;
    }

    public IEnumerator<Argument> GetEnumerator() => ((IEnumerable<Argument>)_fields).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _fields.GetEnumerator();

    private IEnumerable<Argument> Sorted() => _fields.OrderBy(f => f.Name, StringComparer.Ordinal);
}
