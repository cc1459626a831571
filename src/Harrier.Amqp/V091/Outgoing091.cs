using Harrier.Amqp.Conversion;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.V091;

/// <summary>A message as a 0-9-1 client gets it: itself, or for as long as it is being written, what it is converted to.</summary>
internal readonly ref struct Outgoing091
{
    private readonly Message _original;

    public Outgoing091(Message message)
    {
        _original = message;
        Message = ReferenceEquals(message.Format, MessageFormat091.Instance) ? message : To091.Convert(message);
    }

    public Message Message { get; }

    /// <summary>Gives up the conversion.</summary>
    public void Dispose()
    {
        if (!ReferenceEquals(Message, _original)) Message.Release();
    }
}
