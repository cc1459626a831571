using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>One link of a session, as the server has it (1.0 part 2, section 2.6). Owned by the connection's task.</summary>
internal abstract class Link10(Session10 session, uint handle)
{
    /// <summary>The peer's handle, which is ours as well.</summary>
    public uint Handle { get; } = handle;

    /// <summary>What the peer calls it, and its direction.</summary>
    public (Utf8Name Name, bool IsToPeer) Name { get; set; }

    /// <summary>Whether we have detached it and the peer has not yet: whatever it sends is passed over.</summary>
    public bool IsDetached { get; private set; }

    protected Session10 Session { get; } = session;

    protected Connection10 Connection => Session.Connection;

    protected ClientSession Client => Session.Connection.Session;

    /// <summary>Writes the attach that answers the peer's, and begins to work.</summary>
    public abstract void Answer(in Attach attach);

    public virtual void OnFlow(in Flow flow)
    {
    }

    /// <summary>Takes a transfer, which only links to the server get.</summary>
    public virtual void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload) =>
        throw AmqpErrors.NotAllowed(AmqpErrorScope.Session, "a transfer goes from the sender to the receiver");

    /// <summary>The peer has detached the link.</summary>
    public void OnDetach(bool isClosed)
    {
        if (!IsDetached)
        {
            End(isClosed ? LinkEnd.Closed : LinkEnd.Detached);
            AnswerDetach(isClosed);
        }
        IsDetached = true;
    }

    /// <summary>Ends the link with an error.</summary>
    public void Detach(AmqpException error)
    {
        if (IsDetached) return;
        IsDetached = true;
        Connection.LogSessionError(Session.Channel, error);
        End(LinkEnd.Failed);
        EnsureAttached();
        Session.Write(new Detach { Handle = Handle, Closed = !OutlivesErrors, Error = error.ToBytes() });
    }

    /// <summary>Another link wants what this one has.</summary>
    public void Steal(Link10 thief)
    {
        if (ReferenceEquals(thief.Connection, Connection)) Detach(AmqpErrors.Stolen()); // whose task this is, and which waits for it
        else Session.PostDetach(this, AmqpErrors.Stolen());
    }

    /// <summary>Ends the link with its session or connection.</summary>
    public void Abandon(LinkEnd how)
    {
        if (!IsDetached) End(how);
        IsDetached = true;
    }

    /// <summary>Whether the peer may come back to it after an error.</summary>
    protected virtual bool OutlivesErrors => false;

    /// <summary>Writes an attach without a terminus when none was written yet: without one there is nothing to detach (1.0 part 2, section 2.6.3).</summary>
    protected virtual void EnsureAttached()
    {
    }

    /// <summary>Answers the peer's detach.</summary>
    protected virtual void AnswerDetach(bool isClosed) => Session.Write(new Detach { Handle = Handle, Closed = isClosed });

    /// <summary>Gives up what the link holds. Called once.</summary>
    protected abstract void End(LinkEnd how);

    protected void WriteFlow(uint deliveryCount, uint credit, uint? available = null, bool drain = false, bool echo = false) =>
        Session.Write(Session.FlowOf(Handle, deliveryCount, credit, available, drain, echo));
}

/// <summary>How a link ends.</summary>
internal enum LinkEnd
{
    /// <summary>The peer has closed it.</summary>
    Closed,

    /// <summary>The peer has detached it, and may come back.</summary>
    Detached,

    /// <summary>The session has ended.</summary>
    SessionEnded,

    /// <summary>The peer has closed the connection, or is gone.</summary>
    ConnectionLost,

    /// <summary>An error has ended it.</summary>
    Failed,
}
