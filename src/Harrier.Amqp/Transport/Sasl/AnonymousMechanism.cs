using System.Net;
using Harrier.Broker.Security;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>ANONYMOUS (RFC 4505): whatever the client says of itself, it is the one user who was named for that.</summary>
internal sealed class AnonymousMechanism(UserStore users, EndPoint? from, string anonymousUser) : ISaslMechanism
{
    public SaslStep Next(ReadOnlySpan<byte> response) => SaslStep.Of(users.TryIdentify(anonymousUser, from, out User? user), user);
}
