using System.Globalization;

namespace Harrier.CodeGen;

/// <summary>The parsed amqp10.table.</summary>
public sealed record CompositeTable(IReadOnlyList<Choice> Choices, IReadOnlyList<Described> Others, IReadOnlyList<Composite> Composites)
{
    /// <summary>Reads the table's lines; its grammar stands at the top of the table.</summary>
    public static CompositeTable Parse(IEnumerable<string> lines)
    {
        var choices = new List<Choice>();
        var others = new List<Described>();
        var composites = new List<Composite>();
        foreach (string line in lines.Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#'))
        {
            string[] head = line.Split(" :")[0].Split(' ');
            string[] parts = line.Split(" :")[^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            switch (head[0])
            {
                case "choice": choices.Add(new Choice(head[1], head[2], parts)); break;
                case "described": others.Add(ParseDescribed(head)); break;
                default: composites.Add(new Composite(ParseDescribed(head), [.. parts.Select(p => ParseField(p.Split(' '), choices))])); break;
            }
        }
        return new CompositeTable(choices, others, composites);
    }

    private static Described ParseDescribed(string[] words)
    {
        ulong code = ulong.Parse(words[2].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return new Described(words[1], code, words[3], After("as", words) ?? Names.Pascal(words[1]));
    }

    private static CompositeField ParseField(string[] words, List<Choice> choices) => new(words[0], words.Contains("multiple") ? "symbols" : words[1])
    {
        PropertyName = After("as", words) ?? Names.Pascal(words[0]),
        IsRequired = words.Contains("required"),
        Default = After("=", words),
        Choice = choices.Find(c => c.Name == words[1]),
    };

    private static string? After(string mark, string[] words) => Array.IndexOf(words, mark) is >= 0 and var at ? words[at + 1] : null;
}

/// <summary>A type of few values, counted from 0.</summary>
public sealed record Choice(string Name, string WireType, IReadOnlyList<string> Values)
{
    public string TypeName => Names.Pascal(Name);
}

/// <summary>A type with a descriptor.</summary>
public sealed record Described(string Name, ulong Code, string Symbol, string TypeName);

/// <summary>A described list of fields.</summary>
public sealed record Composite(Described Type, IReadOnlyList<CompositeField> Fields)
{
    public string TypeName => Type.TypeName;
}

/// <summary>A field; the type of those that take several symbols is <c>symbols</c>.</summary>
public sealed record CompositeField(string Name, string Type)
{
    public required string PropertyName { get; init; }

    public required bool IsRequired { get; init; }

    /// <summary>As the table has it, or null.</summary>
    public required string? Default { get; init; }

    /// <summary>The type, if it is one of few values.</summary>
    public required Choice? Choice { get; init; }

    /// <summary>The default as C# has it, or null.</summary>
    public string? DefaultLiteral => Default is null ? null : Choice is null ? Default : $"{Choice.TypeName}.{Names.Pascal(Default)}";

    /// <summary>Whether the default is what an untouched C# property has anyway.</summary>
    public bool IsDefaultZero => Choice is null ? Default is "0" or "false" : Default == Choice.Values[0];
}
