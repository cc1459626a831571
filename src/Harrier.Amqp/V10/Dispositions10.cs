using System.Runtime.CompilerServices;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V10.Durable;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// What a session's peer says of deliveries: how those end that it has received, and that it has done with those that it has sent (1.0 part 2, section 2.7.6). Owned by the
/// connection's task.
/// </summary>
internal sealed class Dispositions10(Session10 session)
{
    private readonly List<Settling<OutgoingLink10>> _settling = [];

    /// <summary>Deliveries that were answered and that their sender has to settle, by their ids.</summary>
    public SortedDictionary<uint, (DurableIncomingLink10 Link, byte[] Tag)> AwaitingSender { get; } = [];

    private ClientSession Client => session.Connection.Session;

    /// <summary>Takes a disposition.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // what it reads takes room on the stack that would be cleared for every transfer
    public void Apply(ref ValueReader reader)
    {
        Disposition disposition = Disposition.Decode(ref reader);
        uint last = disposition.Last ?? disposition.First;
        if (disposition.Role == Role.Sender)
        {
            if (disposition.Settled) ForgetReceived(disposition.First, last);
            return;
        }
        DeliveryState state = DeliveryState.Read(disposition.State);
        if (!disposition.Settled && !state.IsTerminal) return; // how far it has come is of no concern
        Transaction10? transaction = state.IsTransactional ? session.Transactions.Find(state.TransactionId) : null;
        session.Outgoing.Take(disposition.First, last, _settling);
        byte[]? annotations = state.Annotations.IsEmpty ? null : state.Annotations.ToArray();
        bool isSecond = !disposition.Settled && transaction is null && _settling.Count > 0;
        Task annotated = Task.CompletedTask;
        foreach (Settling<OutgoingLink10> settling in _settling)
        {
            Outcome outcome = state.Outcome ?? settling.Owner.DefaultOutcome;
            if (annotations is not null) annotated = Task.WhenAll(annotated, Settle(in settling, outcome, annotations));
            else if (transaction is null) Settle(in settling, outcome);
            else transaction.Settle(in settling, outcome, disposition.Settled);
        }
        if (isSecond) SettleSecond(in disposition, last, state.Outcome!.Value, annotated);
        _settling.Clear();
    }

    /// <summary>Ends a delivery.</summary>
    private void Settle(in Settling<OutgoingLink10> settling, Outcome outcome) =>
        Client.Commands.Add(new QueueCommand(QueueCommandKind.Settle, settling.Owner.Queue, Delivery: settling.Id, Outcome: outcome));

    private Task Settle(in Settling<OutgoingLink10> settling, Outcome outcome, byte[] annotations)
    {
        if (ReceiverAnnotations.AreAllowed(annotations)) return AnnotatedSettlement.Settle(Client.Commands, in settling, outcome, annotations);
        Settle(in settling, Outcome.Released);
        settling.Owner.Detach(AmqpErrors.InvalidField(AmqpErrorScope.Link, "message annotations of a receiver have symbols as keys that begin with x-"));
        return Task.CompletedTask;
    }

    /// <summary>Settles deliveries that their receiver has an outcome for and waits with for us (1.0 part 2, section 2.6.12), once nothing can undo it.</summary>
    private void SettleSecond(in Disposition disposition, uint last, Outcome outcome, Task annotated)
    {
        Client.Commands.Run();
        var run = new SettlementRun(Role.Sender, disposition.First, last, DeliveryState.Of(outcome), IsSettled: true);
        if (annotated.IsCompleted) Answer(run, _settling);
        else AnswerAfter(annotated, run, [.. _settling]); // the log has nothing yet of what is to be read first
    }

    private void AnswerAfter(Task task, SettlementRun run, Settling<OutgoingLink10>[] settled) => session.Connection.Pauses.Suspend(task, () => Answer(run, settled));

    private void Answer(SettlementRun run, IEnumerable<Settling<OutgoingLink10>> settled) =>
        session.Connection.Settlements.Add((session.Settlements, run), settled.Max(settling => settling.Owner.Queue.Ticket));

    /// <summary>The sender has settled what we had an outcome for: it will not ask again.</summary>
    private void ForgetReceived(uint first, uint last)
    {
        if (AwaitingSender.Count == 0) return;
        bool isNarrow = last - first < (uint)AwaitingSender.Count; // as a rule it settles few of many
        uint[] ids = isNarrow ? [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => first + (uint)i)] : [.. AwaitingSender.Keys.Where(id => id - first <= last - first)];
        foreach (uint id in ids)
            if (AwaitingSender.Remove(id, out (DurableIncomingLink10 Link, byte[] Tag) awaited)) awaited.Link.Forget(awaited.Tag);
    }
}
