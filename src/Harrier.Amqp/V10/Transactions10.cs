using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Durable;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10;

/// <summary>The transactions of a session that were declared and not discharged (1.0 part 4, section 4.3). Owned by the connection's task.</summary>
internal sealed class Transactions10(Session10 session, int bytesMax)
{
    /// <summary>Transactions that a session may have at once.</summary>
    public const int CountMax = 256;

    private readonly Dictionary<uint, Transaction10> _open = [];
    private uint _last;

    /// <summary>Begins one; its name, or null when there are too many.</summary>
    /// <param name="owner">The link that it ends with.</param>
    public byte[]? Declare(Link10 owner)
    {
        if (_open.Count >= CountMax) return null;
        _open.Add(++_last, new Transaction10(owner, bytesMax));
        byte[] id = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(id, _last);
        return id;
    }

    /// <summary>The transaction of that name. Throws <c>amqp:transaction:unknown-id</c> at the scope of the link.</summary>
    public Transaction10 Find(ReadOnlySpan<byte> id) => _open.TryGetValue(NumberOf(id), out Transaction10? found) ? found : throw AmqpErrors.UnknownTransaction();

    /// <summary>Notes that something that was to be part of a transaction has failed.</summary>
    public void Fail(ReadOnlySpan<byte> id)
    {
        if (_open.TryGetValue(NumberOf(id), out Transaction10? found)) found.HasFailed = true;
    }

    /// <summary>Takes a transaction out to be discharged; null when there is none of that name.</summary>
    public Transaction10? Take(ReadOnlySpan<byte> id) => _open.Remove(NumberOf(id), out Transaction10? found) ? found : null;

    /// <summary>Rolls back what was not discharged.</summary>
    /// <param name="owner">Only of that coordinator link (1.0 part 4, section 4.2); null for all.</param>
    public void RollBackAll(Link10? owner = null)
    {
        foreach ((uint id, Transaction10 transaction) in _open)
        {
            if (owner is not null && !ReferenceEquals(transaction.Owner, owner)) continue;
            _open.Remove(id);
            transaction.RollBack(session.Connection.Session.Commands, session.Outgoing);
        }
    }

    private static uint NumberOf(ReadOnlySpan<byte> id) => id.Length == sizeof(uint) ? BinaryPrimitives.ReadUInt32BigEndian(id) : 0;
}

/// <summary>
/// Publications and settlements that happen together or not at all: they are routed and taken at once and wait; a commit applies them all as one, over all queues.
/// </summary>
internal sealed class Transaction10(Link10 owner, int bytesMax)
{
    // About what a command takes besides a message, in memory and in the log.
    private const int CommandBytes = 128;

    private readonly List<QueueCommand> _commands = [];
    private readonly List<(Settling<OutgoingLink10> Delivery, Outcome Outcome, bool IsSettled)> _settled = [];
    private readonly List<PendingReceipt> _receipts = [];
    private long _bytes;

    /// <summary>Keeps a publication. Takes over the caller's reference to the message.</summary>
    public void Publish(Message message, RouteSet routes)
    {
        _bytes += (message.Size + (long)CommandBytes) * Math.Max(1, routes.Count);
        if (_bytes > bytesMax || routes.Count == 0)
        {
            message.Release();
            if (_bytes > bytesMax) throw AmqpErrors.TransactionTooLarge(bytesMax);
            return;
        }
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++) _commands.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message));
    }

    /// <summary>Keeps what is to be remembered of a publication. Throws when that is too much.</summary>
    public void Remember(PendingReceipt receipt)
    {
        _bytes += PendingReceipt.Bytes;
        if (_bytes > bytesMax) throw AmqpErrors.TransactionTooLarge(bytesMax);
        _receipts.Add(receipt);
    }

    /// <summary>Keeps the end of a delivery.</summary>
    /// <param name="settling">The delivery.</param>
    /// <param name="outcome">How it ends.</param>
    /// <param name="isSettled">Whether the receiver has settled it already, and knows nothing of it any more.</param>
    public void Settle(in Settling<OutgoingLink10> settling, Outcome outcome, bool isSettled)
    {
        _bytes += CommandBytes;
        _settled.Add((settling, outcome, isSettled));
        _commands.Add(new QueueCommand(QueueCommandKind.Settle, settling.Owner.Queue, Delivery: settling.Id, Outcome: outcome, Flags: QueueCommandFlags.IfUnacked));
    }

    /// <summary>Something that was to be part of it has failed: it can only be rolled back.</summary>
    public bool HasFailed { get; set; }

    /// <summary>The link on which it was declared.</summary>
    public Link10 Owner => owner;

    /// <summary>The deliveries that end with it and that their receivers have yet to be told of, and how they end.</summary>
    public IEnumerable<(uint DeliveryId, Outcome Outcome)> Unsettled => _settled.Where(s => !s.IsSettled).Select(s => ((uint)s.Delivery.Tag, s.Outcome));

    /// <summary>Applies everything; false when a queue has no room, or a delivery is not its receiver's any more: then it is rolled back.</summary>
    public bool TryCommit(CommandBatch commands, OutgoingSession outgoing)
    {
        bool isCommitted = !HasFailed && RunAll(commands);
        if (isCommitted) EndReceipts(isCommitted);
        else RollBack(commands, outgoing);
        return isCommitted;
    }

    /// <summary>
    /// Forgets the publications. What was delivered and is not settled is outstanding again (1.0 part 4, section 4.4.2); of what its receiver has settled,
    /// or whose link is gone, nobody will hear any more: it goes back to its queue.
    /// </summary>
    public void RollBack(CommandBatch commands, OutgoingSession outgoing)
    {
        foreach (QueueCommand command in _commands) command.Message?.Release();
        outgoing.Restore(_settled.Where(s => !s.IsSettled && !s.Delivery.Owner.IsGone).Select(s => s.Delivery));
        foreach ((Settling<OutgoingLink10> delivery, _, _) in _settled.Where(s => s.IsSettled || s.Delivery.Owner.IsGone))
            commands.Add(new QueueCommand(QueueCommandKind.Settle, delivery.Owner.Queue, Delivery: delivery.Id, Outcome: Outcome.Released));
        _commands.Clear();
        EndReceipts(isCommitted: false);
    }

    private bool RunAll(CommandBatch commands)
    {
        foreach (PendingReceipt receipt in _receipts)
            if (!receipt.IsForgotten) _commands.Add(receipt.Note());
        return commands.RunAtomically(CollectionsMarshal.AsSpan(_commands));
    }

    private void EndReceipts(bool isCommitted)
    {
        foreach (PendingReceipt receipt in _receipts) receipt.End(isCommitted);
        if (!isCommitted)
            foreach (PendingReceipt receipt in _receipts) receipt.GiveBack();
        _receipts.Clear();
    }
}
