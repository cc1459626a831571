using System.Net;
using System.Text;
using Harrier.Broker.Security;
using Harrier.Protocol.Sasl;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>PLAIN (RFC 4616). An authorization identity may repeat the name, except in 0-9-1, where RabbitMQ takes none (behaviour note 4).</summary>
internal sealed class PlainMechanism(UserStore users, EndPoint? from, bool forAmqp091) : ISaslMechanism
{
    public SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (!PlainResponse.TryRead(response, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> password)) return SaslStep.Malformed.Instance;
        if (forAmqp091 && response[0] != 0) return SaslStep.Malformed.Instance;
        return SaslStep.Of(users.TryLogin(Encoding.UTF8.GetString(name), password, from, out User? user), user);
    }
}
