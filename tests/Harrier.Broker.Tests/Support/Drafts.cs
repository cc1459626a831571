using Harrier.Broker.Messages;
using Harrier.Broker.Policies;

namespace Harrier.Broker.Tests.Support;

/// <summary>The shortest words for argument tables and policies.</summary>
internal static class Drafts
{
    /// <summary>A policy "p" for all names, unless it is said otherwise.</summary>
    public static PolicyDraft Of(string definition, string name = "p", string pattern = "", string applyTo = "all", long priority = 0) =>
        new(name, pattern, applyTo, priority, Table(definition));

    /// <summary>A table as a test can write it: "max-length=5 overflow=drop-head flag=true"; what is a number or a truth value is taken as one.</summary>
    public static ArgumentTable Table(string fields) =>
        new([.. fields.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('=', 2)).Select(f => new Argument(f[0], Value(f[1])))]);

    /// <summary>The reverse of <see cref="Table"/>.</summary>
    public static string Text(ArgumentTable table) => string.Join(' ', table.Select(f => $"{f.Name}={f.Value.Text}"));

    private static ArgumentValue Value(string text) =>
        long.TryParse(text, out long number) ? ArgumentValue.Of(number) : bool.TryParse(text, out bool truth) ? ArgumentValue.Of(truth) : ArgumentValue.Of(text);
}
