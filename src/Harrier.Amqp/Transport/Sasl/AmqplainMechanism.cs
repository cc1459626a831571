using System.Net;
using System.Text;
using Harrier.Broker.Security;
using Harrier.Protocol.Sasl;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>AMQPLAIN: name and password in a field table of 0-9-1 (behaviour note 5).</summary>
internal sealed class AmqplainMechanism(UserStore users, EndPoint? from) : ISaslMechanism
{
    public SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (!AmqplainResponse.TryRead(response, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> password)) return SaslStep.Malformed.Instance;
        return SaslStep.Of(users.TryLogin(Encoding.UTF8.GetString(name), password, from, out User? user), user);
    }
}
