namespace Harrier.CodeGen;

/// <summary>The parsed amqp091.table.</summary>
public sealed record MethodTable(IReadOnlyList<AmqpClass> Classes)
{
    /// <summary>Reads the table's lines; its grammar stands at the top of the table.</summary>
    public static MethodTable Parse(IEnumerable<string> lines)
    {
        var classes = new List<AmqpClass>();
        foreach (string line in lines.Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#'))
        {
            string[] words = line.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
            switch (words[0])
            {
                case "class": classes.Add(new AmqpClass(words[1], int.Parse(words[2]), [], [])); break;
                case "property": classes[^1].Properties.Add(new Field(words[1], words[2])); break;
                default: classes[^1].Methods.Add(ParseMethod(classes[^1], words)); break;
            }
        }
        return new MethodTable(classes);
    }

    private static Method ParseMethod(AmqpClass owner, string[] words)
    {
        int colon = Array.IndexOf(words, ":");
        var arguments = new List<Field>();
        for (int i = colon + 1; i < words.Length; i += 2) arguments.Add(new Field(words[i], words[i + 1]));
        return new Method(owner.Name, owner.Id, words[0], int.Parse(words[1]), words[..colon].Contains("content"), arguments);
    }
}

public sealed record AmqpClass(string Name, int Id, List<Method> Methods, List<Field> Properties);

public sealed record Method(string ClassName, int ClassId, string Name, int Id, bool HasContent, IReadOnlyList<Field> Arguments)
{
    public string TypeName => Names.Pascal(ClassName) + Names.Pascal(Name);
}

public sealed record Field(string Name, string Type)
{
    public string PropertyName => Names.Pascal(Name);
}

internal static class Names
{
    public static string Pascal(string name) =>
        string.Concat(name.Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
}
