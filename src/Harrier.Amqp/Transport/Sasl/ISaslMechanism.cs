namespace Harrier.Amqp.Transport.Sasl;

/// <summary>The server's side of one login by one mechanism (RFC 4422). No bytes make it throw.</summary>
internal interface ISaslMechanism
{
    /// <summary>Deals with what the client said: at first its initial response, empty when there is none, then the response to each challenge.</summary>
    SaslStep Next(ReadOnlySpan<byte> response);
}
