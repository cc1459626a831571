namespace Harrier.Broker.Messages;

/// <summary>The formats that messages come in, by the number under which they are stored.</summary>
public sealed class MessageFormats(params IMessageFormat[] formats)
{
    /// <summary>The format of that number, or null when this process does not know it.</summary>
    public IMessageFormat? Find(byte id) => Array.Find(formats, format => format.Id == id);
}
