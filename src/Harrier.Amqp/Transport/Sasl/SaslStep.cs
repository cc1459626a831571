using Harrier.Broker.Security;

namespace Harrier.Amqp.Transport.Sasl;

/// <summary>Where a login stands. After anything but a challenge it is over.</summary>
internal abstract record SaslStep
{
    private SaslStep()
    {
    }

    /// <summary>The client has to answer this.</summary>
    public sealed record Challenge(byte[] Bytes) : SaslStep;

    public sealed record Done(User User) : SaslStep;

    /// <summary>The client is not told why.</summary>
    public sealed record Failed(LoginFailure Failure) : SaslStep;

    /// <summary>What the client said is not what the mechanism has it say.</summary>
    public sealed record Malformed : SaslStep
    {
        public static Malformed Instance { get; } = new();
    }

    /// <summary>How a login ends that the users were asked about.</summary>
    public static SaslStep Of(LoginFailure failure, User? user) => failure == LoginFailure.None && user is not null ? new Done(user) : new Failed(failure);
}
