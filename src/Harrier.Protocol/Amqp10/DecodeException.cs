using System.Diagnostics.CodeAnalysis;

namespace Harrier.Protocol.Amqp10;

/// <summary>Bytes that are no AMQP 1.0 value, or not the one that was expected: <c>amqp:decode-error</c>. What it costs the peer depends on where they stood.</summary>
public sealed class DecodeException(string text) : Exception(text)
{
    [DoesNotReturn]
    internal static void Throw(string text) => throw new DecodeException(text);
}
