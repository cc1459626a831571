using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Sasl;

/// <summary>The response of the AMQPLAIN mechanism: a field table without its length, with LOGIN and PASSWORD (behaviour note 5).</summary>
public static class AmqplainResponse
{
    /// <summary>Reads a response; false when it is malformed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> response, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password)
    {
        user = password = default;
        try
        {
            bool found = FieldTableReader.TryFind(response, "LOGIN"u8, out FieldValueBytes login)
                & FieldTableReader.TryFind(response, "PASSWORD"u8, out FieldValueBytes secret);
            if (!found || login.Type != FieldType.LongString || secret.Type != FieldType.LongString) return false;
            user = login.Bytes;
            password = secret.Bytes;
            return true;
        }
        catch (AmqpProtocolException)
        {
            return false;
        }
    }
}
