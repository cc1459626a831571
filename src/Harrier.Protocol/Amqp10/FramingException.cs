namespace Harrier.Protocol.Amqp10;

/// <summary>Bytes that are no frame: <c>amqp:connection:framing-error</c>. There is no way to find the next one.</summary>
public sealed class FramingException(string text) : Exception(text);
