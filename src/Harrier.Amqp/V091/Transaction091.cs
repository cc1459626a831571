using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V091;

/// <summary>
/// The open transaction of a channel (behaviour notes 71 to 73): publications are routed at once and wait, acknowledgements are taken at once and
/// wait; a commit applies them all as one, over all queues.
/// </summary>
internal sealed class Transaction091(int bytesMax)
{
    // About what a command takes besides a message, in memory and in the log.
    private const int CommandBytes = 128;

    private readonly List<QueueCommand> _commands = [];
    private readonly List<Settling<Queue>> _settled = [];
    private readonly List<Message> _unroutable = [];
    private readonly List<(Message Message, bool IsMandatory)> _replies = [];
    private long _bytes;

    /// <summary>Keeps a direct reply. Takes over the caller's reference to the message.</summary>
    public void Reply(Message message, bool isMandatory) => _replies.Add((message, isMandatory));

    /// <summary>Keeps a publication. Takes over the caller's reference to the message. Throws 406 when the transaction becomes too large.</summary>
    public void Publish(Message message, RouteSet routes, bool isMandatory)
    {
        _bytes += (message.Size + (long)CommandBytes) * Math.Max(1, routes.Count);
        if (_bytes > bytesMax)
        {
            message.Release();
            throw ErrorCatalogue.TransactionTooLarge(bytesMax);
        }
        if (routes.Count == 0)
        {
            if (isMandatory) _unroutable.Add(message);
            else message.Release();
            return;
        }
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++) _commands.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message));
    }

    /// <summary>Keeps an acknowledgement.</summary>
    public void Settle(Settling<Queue> settling, Outcome outcome)
    {
        _settled.Add(settling);
        _commands.Add(new QueueCommand(QueueCommandKind.Settle, settling.Owner, Delivery: settling.Id, Outcome: outcome));
    }

    /// <summary>Applies everything and starts anew; throws 406 when a queue has no room, and nothing has happened then. Returns of mandatory messages come now (note 72).</summary>
    public void Commit(CommandBatch commands, Publisher091 publisher, long nowMs)
    {
        foreach (QueueCommand command in _commands) command.Message?.ArriveAt(nowMs); // a second time changes nothing
        if (!commands.RunAtomically(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_commands))) throw ErrorCatalogue.PartialTransaction();
        foreach (Message message in _unroutable)
        {
            publisher.Return(message);
            message.Release();
        }
        foreach ((Message reply, bool isMandatory) in _replies) publisher.Reply(reply, isMandatory);
        Clear();
    }

    /// <summary>Forgets the publications and gives the acknowledgements back, for the client may make them again (note 73).</summary>
    public IReadOnlyList<Settling<Queue>> Rollback()
    {
        foreach (QueueCommand command in _commands)
            if (command.Kind == QueueCommandKind.Enqueue) command.Message!.Release();
        foreach (Message message in _unroutable) message.Release();
        foreach ((Message reply, _) in _replies) reply.Release();
        Settling<Queue>[] settled = [.. _settled];
        Clear();
        return settled;
    }

    private void Clear()
    {
        _commands.Clear();
        _bytes = 0;
        _settled.Clear();
        _unroutable.Clear();
        _replies.Clear();
    }
}
