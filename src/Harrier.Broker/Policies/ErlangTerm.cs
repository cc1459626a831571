using System.Globalization;
using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Policies;

/// <summary>Values as RabbitMQ's texts about policies show them: as Erlang prints what it has made of JSON.</summary>
internal static class ErlangTerm
{
    public static string Of(in ArgumentValue value) => value.Kind switch
    {
        ArgumentKind.Void => "null",
        ArgumentKind.Text or ArgumentKind.Bytes => Binary(value.Text),
        ArgumentKind.Float or ArgumentKind.Double => Real(value.Real),
        ArgumentKind.Array => $"[{string.Join(',', value.Items.Select(i => Of(i)))}]",
        ArgumentKind.Table => $"#{{{string.Join(',', value.Table.Select(f => $"{Binary(f.Name)} => {Of(f.Value)}"))}}}",
        _ => value.Text,
    };

    /// <summary>A list of pairs.</summary>
    public static string Of(IEnumerable<Argument> fields) => $"[{string.Join(',', fields.Select(f => $"{{{Binary(f.Name)},{Of(f.Value)}}}"))}]";

    public static string Binary(string text)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return $"<<\"{escaped}\"{(Ascii.IsValid(text) ? "" : "/utf8")}>>";
    }

    private static string Real(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny(".EN∞") ? text : text + ".0";
    }
}
