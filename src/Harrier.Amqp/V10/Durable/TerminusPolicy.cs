using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>The event from which on a terminus without a link begins to expire (1.0 part 3, section 3.5.6).</summary>
internal enum ExpiryPolicy
{
    SessionEnd,
    LinkDetach,
    ConnectionClose,
    Never,
}

/// <summary>For how long a terminus outlives its link.</summary>
/// <param name="Policy">What it is counted from.</param>
/// <param name="TimeoutSeconds">How long it stays from then on.</param>
internal readonly record struct TerminusPolicy(ExpiryPolicy Policy, uint TimeoutSeconds)
{
    /// <summary>What a terminus asks for. Throws <c>amqp:invalid-field</c> for a policy that the standard does not have.</summary>
    public static TerminusPolicy Read(ReadOnlySpan<byte> policy, uint timeoutSeconds)
    {
        if (policy.IsNull || policy.SequenceEqual("session-end"u8)) return new TerminusPolicy(ExpiryPolicy.SessionEnd, timeoutSeconds);
        if (policy.SequenceEqual("link-detach"u8)) return new TerminusPolicy(ExpiryPolicy.LinkDetach, timeoutSeconds);
        if (policy.SequenceEqual("connection-close"u8)) return new TerminusPolicy(ExpiryPolicy.ConnectionClose, timeoutSeconds);
        if (policy.SequenceEqual("never"u8)) return new TerminusPolicy(ExpiryPolicy.Never, timeoutSeconds);
        throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "there is no such terminus-expiry-policy");
    }

    /// <summary>The policy as the standard writes it.</summary>
    public ReadOnlySpan<byte> Symbol => Policy switch
    {
        ExpiryPolicy.LinkDetach => "link-detach"u8,
        ExpiryPolicy.ConnectionClose => "connection-close"u8,
        ExpiryPolicy.Never => "never"u8,
        _ => "session-end"u8,
    };

    /// <summary>How long the terminus's queue stays unused, or null for ever. One that goes at once stays for a moment, should the broker die before it goes.</summary>
    public long? ExpiresMs => Policy == ExpiryPolicy.Never ? null : Math.Max(1, Math.Min(TimeoutSeconds, int.MaxValue / 1000) * 1000L);

    /// <summary>Whether it begins to expire when its link ends so.</summary>
    public bool BeginsWith(LinkEnd end) => Policy switch
    {
        ExpiryPolicy.Never => false,
        ExpiryPolicy.LinkDetach => true,
        ExpiryPolicy.SessionEnd => end is not LinkEnd.Detached and not LinkEnd.Failed,
        _ => end == LinkEnd.ConnectionLost,
    };
}
