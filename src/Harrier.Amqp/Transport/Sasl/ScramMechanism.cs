using System.Net;
using Harrier.Broker.Security;
using Harrier.Protocol.Sasl;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>
/// SCRAM-SHA-256 (RFC 5802, RFC 7677): neither side tells the other the password, both prove to know it. Without channel binding and without SASLprep.
/// </summary>
/// <param name="users">Who may log in.</param>
/// <param name="from">Where the client is; null when that is not known.</param>
/// <param name="serverNonce">Printable ASCII without commas, never used before.</param>
internal sealed class ScramMechanism(UserStore users, EndPoint? from, byte[] serverNonce) : ISaslMechanism
{
    private Stage _stage = Stage.First;
    private string _name = "";
    private byte[] _gs2Header = [];
    private byte[] _nonce = [];
    private byte[] _exchange = []; // what both sides sign, as far as it was said
    private User? _user;

    private enum Stage
    {
        First,
        Final,

        /// <summary>The client has yet to see the server's proof, and says nothing to it.</summary>
        Proven,
        Over,
    }

    public SaslStep Next(ReadOnlySpan<byte> response)
    {
        Stage stage = _stage;
        _stage = Stage.Over; // there is no second try
        return stage switch
        {
            Stage.First => OnFirst(response),
            Stage.Final => OnFinal(response),
            Stage.Proven when response.IsEmpty => new SaslStep.Done(_user!),
            _ => SaslStep.Malformed.Instance,
        };
    }

    private SaslStep OnFirst(ReadOnlySpan<byte> response)
    {
        if (!ScramClientFirst.TryRead(response, out ScramClientFirst first)) return SaslStep.Malformed.Instance;
        if (first.AuthorizationId is { } identity && identity != first.User) return SaslStep.Malformed.Instance;
        _name = first.User;
        _gs2Header = first.Gs2Header.ToArray();
        _nonce = [.. first.Nonce, .. serverNonce];
        byte[] challenge = ScramServerFirst.Encode(_nonce, users.ScramSecretOf(_name).Salt, ScramSecret.Iterations);
        _exchange = [.. first.Bare, (byte)',', .. challenge];
        _stage = Stage.Final;
        return new SaslStep.Challenge(challenge);
    }

    private SaslStep OnFinal(ReadOnlySpan<byte> response)
    {
        if (!ScramClientFinal.TryRead(response, out ScramClientFinal final)) return SaslStep.Malformed.Instance;
        // Another nonce is that of another exchange; another header means that somebody in between has changed the first message.
        if (!final.Nonce.SequenceEqual(_nonce) || !final.Binding.AsSpan().SequenceEqual(_gs2Header)) return SaslStep.Malformed.Instance;
        _exchange = [.. _exchange, (byte)',', .. final.WithoutProof];
        LoginFailure failure = users.TryProve(_name, _exchange, final.Proof, from, out _user);
        if (failure != LoginFailure.None) return new SaslStep.Failed(failure);
        // Not with the outcome, where 1.0 has a place for it (part 5, section 5.3.3.5): many clients do not look there.
        _stage = Stage.Proven;
        return new SaslStep.Challenge(ScramServerFinal.Encode(users.ScramSecretOf(_name).Sign(_exchange)));
    }
}
