using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>What a client said of itself in connection.start-ok.</summary>
/// <param name="Name">Its connection_name, else its product; for logs.</param>
/// <param name="WantsCancelNotifications">Capability consumer_cancel_notify (note 83).</param>
/// <param name="WantsBlockedNotifications">Capability connection.blocked (note 21).</param>
/// <param name="WantsLoginFailure">Capability authentication_failure_close (note 2).</param>
internal sealed record ClientProperties(string Name, bool WantsCancelNotifications, bool WantsBlockedNotifications, bool WantsLoginFailure)
{
    public static ClientProperties Unknown { get; } = new("", false, false, false);

    /// <summary>Reads the client-properties table. Throws 501 or 502 when it is malformed.</summary>
    public static ClientProperties Read(ReadOnlySpan<byte> fields)
    {
        FieldTableReader.Validate(fields);
        ReadOnlySpan<byte> capabilities = FieldTableReader.TryFind(fields, "capabilities"u8, out FieldValueBytes table) && table.Type == FieldType.Table
            ? table.Bytes
            : default;
        string name = TextOf(fields, "connection_name"u8) ?? TextOf(fields, "product"u8) ?? "";
        return new ClientProperties(
            name, Has(capabilities, "consumer_cancel_notify"u8), Has(capabilities, "connection.blocked"u8), Has(capabilities, "authentication_failure_close"u8));
    }

    private static string? TextOf(ReadOnlySpan<byte> fields, ReadOnlySpan<byte> name) =>
        FieldTableReader.TryFind(fields, name, out FieldValueBytes value) && value.Type == FieldType.LongString ? Encoding.UTF8.GetString(value.Bytes) : null;

    private static bool Has(ReadOnlySpan<byte> capabilities, ReadOnlySpan<byte> name) =>
        FieldTableReader.TryFind(capabilities, name, out FieldValueBytes value) && value.Type == FieldType.Boolean && value.Bytes[0] != 0;
}
