using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Deliveries that follow each other and are answered alike.</summary>
/// <param name="Role">Ours: receiver for what was published, sender for what was consumed.</param>
/// <param name="State">The encoded delivery state.</param>
/// <param name="IsSettled">Whether they are settled by it.</param>
internal readonly record struct SettlementRun(Role Role, uint First, uint Last, byte[] State, bool IsSettled)
{
    /// <summary>Whether another run goes on where this one ends, with the same answer.</summary>
    public bool IsContinuedBy(in SettlementRun next) =>
        next.First == Last + 1 && next.Role == Role && next.IsSettled == IsSettled && (ReferenceEquals(next.State, State) || next.State.AsSpan().SequenceEqual(State));
}

/// <summary>Writes dispositions: as few as will do for what a sync has covered.</summary>
internal sealed class SettlementRelease(FrameOutput output, LogSync sync) : SyncedAnswers<(SessionSettlements Session, SettlementRun Run)>(output, sync)
{
    private readonly List<SessionSettlements> _released = [];

    /// <summary>The session has ended: nothing more is written to it.</summary>
    public void Forget(SessionSettlements session)
    {
        lock (Gate) session.IsClosed = true;
    }

    protected override void Send(in (SessionSettlements Session, SettlementRun Run) answer) => answer.Session.Send(Output, in answer.Run);

    protected override void Release(in (SessionSettlements Session, SettlementRun Run) answer)
    {
        if (!answer.Session.HasKept) _released.Add(answer.Session);
        answer.Session.Keep(Output, in answer.Run);
    }

    protected override void EndRelease()
    {
        foreach (SessionSettlements session in _released) session.SendKept(Output);
        _released.Clear();
    }
}

/// <summary>What a session's peer is told next. Guarded by the connection's <see cref="SettlementRelease"/>.</summary>
internal sealed class SessionSettlements(ushort channel)
{
    private SettlementRun _kept;

    public bool IsClosed { get; set; }

    public bool HasKept { get; private set; }

    /// <summary>Adds to what is told next; what is answered otherwise is told at once.</summary>
    public void Keep(FrameOutput output, in SettlementRun run)
    {
        if (HasKept && _kept.IsContinuedBy(in run))
        {
            _kept = _kept with { Last = run.Last };
            return;
        }
        SendKept(output);
        (_kept, HasKept) = (run, true);
    }

    public void SendKept(FrameOutput output)
    {
        if (HasKept) Send(output, in _kept);
        HasKept = false;
    }

    public void Send(FrameOutput output, in SettlementRun run)
    {
        if (IsClosed) return;
        FrameWriter10.Write(output, channel, new Disposition
        {
            Role = run.Role,
            First = run.First,
            Last = run.Last == run.First ? null : run.Last,
            Settled = run.IsSettled,
            State = run.State,
        });
    }
}
