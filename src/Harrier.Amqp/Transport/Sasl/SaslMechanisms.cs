using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using Harrier.Broker.Security;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>The ways in which clients of a protocol may log in.</summary>
/// <param name="users">Who may.</param>
/// <param name="forAmqp091">Whether they are those of 0-9-1; else of 1.0.</param>
/// <param name="identity">The name that the transport has verified (by a certificate, say); null when there is none, and no EXTERNAL with it.</param>
internal sealed class SaslMechanisms(UserStore users, bool forAmqp091, Func<string?>? identity = null)
{
    /// <summary>What is offered, best first. In 0-9-1 the list that RabbitMQ gives (behaviour note 5).</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            List<string> names = forAmqp091 ? ["PLAIN", "AMQPLAIN"] : ["PLAIN"];
            // Clients that find it take it before PLAIN, which works for everybody: it is not offered unless it does, too.
            if (!forAmqp091 && users.SupportsScram) names.Insert(0, "SCRAM-SHA-256");
            if (identity?.Invoke() is not null) names.Insert(0, "EXTERNAL");
            if (users.AnonymousUser is not null) names.Add("ANONYMOUS");
            return names;
        }
    }

    /// <summary>Begins a login; false when there is no such mechanism here.</summary>
    /// <param name="name">The mechanism.</param>
    /// <param name="from">Where the client is; null when that is not known.</param>
    /// <param name="mechanism">For this login only.</param>
    public bool TryBegin(string name, EndPoint? from, [NotNullWhen(true)] out ISaslMechanism? mechanism)
    {
        mechanism = name switch
        {
            "PLAIN" => new PlainMechanism(users, from, forAmqp091),
            "AMQPLAIN" when forAmqp091 => new AmqplainMechanism(users, from),
            "SCRAM-SHA-256" when !forAmqp091 => new ScramMechanism(users, from, NewNonce()),
            "EXTERNAL" when identity?.Invoke() is { } verified => new ExternalMechanism(users, from, verified),
            "ANONYMOUS" when users.AnonymousUser is { } anonymous => new AnonymousMechanism(users, from, anonymous),
            _ => null,
        };
        return mechanism is not null;
    }

    // From the operating system: a nonce that can be guessed lets an old exchange be played again.
    private static byte[] NewNonce()
    {
        const int NonceSize = 18; // 24 characters of base64, without an equals sign
        return System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceSize)));
    }
}
