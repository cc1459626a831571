using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>The fields of a property filter, as they came.</summary>
internal static class FieldList
{
    private const int NameLengthShown = 64;

    /// <summary>Refuses none, which RabbitMQ takes for a mistake, and too many.</summary>
    public static void Check(IReadOnlyList<Argument> fields)
    {
        if (fields.Count is 0 or > FilterLimits.FieldsMax)
            throw new FilterException($"a property filter has 1 to {FilterLimits.FieldsMax} fields, and not {fields.Count}");
    }

    public static string Describe(string section, IReadOnlyList<Argument> fields) =>
        $"{section}: {string.Join(", ", fields.Select(field => $"{field.Name} = {field.Value.Text}"))}";

    /// <summary>A name for an error text: it comes from a peer, and may be long.</summary>
    public static string Shorten(string name) => name.Length <= NameLengthShown ? name : name[..NameLengthShown] + "...";
}
