using Harrier.Broker.Durability;

namespace Harrier.Amqp.Transport;

/// <summary>
/// Lets the answers to a connection's publications go, in their order, when the log has what they promise. What is due is added by the connection's task and
/// written by whichever thread hears of the sync. A refusal promises nothing and waits for its turn all the same: an answer for many must not cover one that is
/// answered otherwise.
/// </summary>
internal abstract class SyncedAnswers<TAnswer>(FrameOutput output, LogSync sync) : ISyncWaiter, IThreadPoolWorkItem
{
    private readonly Queue<(TAnswer Answer, long Ticket)> _due = new();

    /// <summary>Whether something is due that the log does not have yet. May be a moment old.</summary>
    public bool IsWaiting => _due.Count > 0;

    /// <summary>Guards what is due, and what is written of it.</summary>
    protected Lock Gate { get; } = new();

    protected FrameOutput Output => output;

    /// <summary>Lets an answer go once the ticket is durable.</summary>
    public void Add(in TAnswer answer, long ticket)
    {
        lock (Gate)
        {
            if (_due.Count == 0 && sync.IsDurable(ticket))
            {
                Send(in answer);
                return;
            }
            _due.Enqueue((answer, ticket));
            if (_due.Count > 1) return; // the wait for the first goes on to the next
        }
        Await(ticket);
    }

    public void OnDurable() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    public void Execute()
    {
        try
        {
            SendDurable();
        }
        catch (Exception e)
        {
            output.Fail(e); // on this thread it would end the process
        }
    }

    /// <summary>Writes an answer that had not to wait. Under <see cref="Gate"/>.</summary>
    protected abstract void Send(in TAnswer answer);

    /// <summary>Writes one of the answers that a sync has covered, or keeps it back for <see cref="EndRelease"/>. Under <see cref="Gate"/>.</summary>
    protected abstract void Release(in TAnswer answer);

    /// <summary>Writes what was kept back. Under <see cref="Gate"/>.</summary>
    protected abstract void EndRelease();

    private void SendDurable()
    {
        long next = 0;
        lock (Gate)
        {
            while (_due.TryPeek(out (TAnswer Answer, long Ticket) due))
            {
                if (!sync.IsDurable(due.Ticket))
                {
                    next = due.Ticket;
                    break;
                }
                _due.Dequeue();
                Release(in due.Answer);
            }
            EndRelease();
        }
        output.Flush();
        if (next != 0) Await(next);
    }

    private void Await(long ticket)
    {
        if (!sync.TryAwait(ticket, this)) OnDurable();
    }
}
