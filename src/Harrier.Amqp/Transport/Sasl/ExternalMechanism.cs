using System.Net;
using System.Text;
using Harrier.Broker.Security;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>EXTERNAL (RFC 4422, appendix A): the transport knows who the client is; the client may say the same or nothing.</summary>
internal sealed class ExternalMechanism(UserStore users, EndPoint? from, string identity) : ISaslMechanism
{
    public SaslStep Next(ReadOnlySpan<byte> response)
    {
        if (!response.IsEmpty && !response.SequenceEqual(Encoding.UTF8.GetBytes(identity))) return SaslStep.Malformed.Instance;
        return SaslStep.Of(users.TryIdentify(identity, from, out User? user), user);
    }
}
