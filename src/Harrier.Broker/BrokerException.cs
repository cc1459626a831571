namespace Harrier.Broker;

/// <summary>How much of a client's work an error ends.</summary>
public enum ErrorScope
{
    /// <summary>A 0-9-1 channel, a 1.0 link or session.</summary>
    Channel,

    /// <summary>The connection.</summary>
    Connection,
}

/// <summary>What went wrong. The values are 0-9-1's reply codes (section 1.2), which 1.0 maps to its error conditions.</summary>
public enum ErrorCode : ushort
{
    ConnectionForced = 320,
    AccessRefused = 403,
    NotFound = 404,
    ResourceLocked = 405,
    PreconditionFailed = 406,
    FrameError = 501,
    SyntaxError = 502,
    CommandInvalid = 503,
    ChannelError = 504,
    UnexpectedFrame = 505,
    NotAllowed = 530,
    NotImplemented = 540,
    InternalError = 541,
}

/// <summary>A refused operation that ends the client's channel or connection. Made only by <see cref="ErrorCatalogue"/>.</summary>
public sealed class BrokerException : Exception
{
    internal BrokerException(ErrorScope scope, ErrorCode code, string text) : base(text)
    {
        Scope = scope;
        Code = code;
    }

    public ErrorScope Scope { get; }

    public ErrorCode Code { get; }
}
