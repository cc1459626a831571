using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V091;

/// <summary>A channel that waits for direct replies (behaviour note 97). Replies are written on the replier's thread.</summary>
internal sealed class ReplyConsumer091(Connection091 connection, Channel091 channel, byte[] tag, Utf8Name name) : IReplyConsumer
{
    private bool _hasEnded; // guarded by the output's gate

    public byte[] Tag { get; } = tag;

    /// <summary>The opaque name that requests carry.</summary>
    public Utf8Name Name { get; } = name;

    public bool TryDeliver(Message message)
    {
        // A reply has no queue to wait in: a requester that does not read loses it, as one that has gone.
        if (!connection.Output.HasRoom) return false;
        lock (connection.Output.Gate)
        {
            if (_hasEnded) return false; // the replier found it just before
            long before = connection.Output.UnflushedBytes;
            using var outgoing = new Outgoing091(message);
            ulong deliveryTag = channel.Unacked.AddSettled();
            DeliverWriter.Write(connection, channel.Number, Tag, deliveryTag, isRedelivered: false, outgoing.Message, outgoing.Message.Properties);
            connection.Output.CountAsDeliveries(connection.Output.UnflushedBytes - before);
        }
        connection.Output.Flush();
        return true;
    }

    /// <summary>Nothing is written any more once this returns.</summary>
    public void End()
    {
        lock (connection.Output.Gate) _hasEnded = true;
    }
}
