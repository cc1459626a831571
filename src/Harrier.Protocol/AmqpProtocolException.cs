using System.Diagnostics.CodeAnalysis;

namespace Harrier.Protocol;

/// <summary>Bytes that are not what the protocol allows. The connection they came on cannot go on: there is no way to find the next frame.</summary>
public sealed class AmqpProtocolException : Exception
{
    /// <summary>Makes the exception for a reply code of the protocol (0-9-1 section 1.2) and a text without the code's name.</summary>
    public AmqpProtocolException(ushort code, string text) : base(text) => Code = code;

    /// <summary>The reply code that the peer is to see.</summary>
    public ushort Code { get; }

    [DoesNotReturn]
    internal static void Throw(ushort code, string text) => throw new AmqpProtocolException(code, text);
}
