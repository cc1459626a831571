using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;
using Harrier.Broker.Topology;

namespace Harrier.Amqp.V10.Durable;

/// <summary>A link's hold of its durable terminus, from the wait for it until the link has let go. Owned by the connection's task.</summary>
internal sealed class TerminusHold
{
    private readonly Session10 _session;
    private readonly Link10 _link;
    private readonly string _linkName;
    private readonly Utf8Name _name;
    private readonly TerminusRegistry.Claim _claim;
    private DurableTerminus? _terminus;

    public TerminusHold(Session10 session, Link10 link, byte[] linkName, bool isSource)
    {
        _session = session;
        _link = link;
        _linkName = Encoding.UTF8.GetString(linkName);
        _name = Broker.Topology.Terminus.NameOf(Client.User.Name, Connection.ContainerId, _linkName, isSource);
        _claim = Connection.Termini.Ask(Client.VirtualHost.Name, _name.ToString(), link);
    }

    /// <summary>The terminus, once it is taken.</summary>
    public DurableTerminus Terminus => _terminus!;

    /// <summary>Whether it is taken.</summary>
    public bool IsTaken => _terminus is not null;

    private Connection10 Connection => _session.Connection;

    private ClientSession Client => _session.Connection.Session;

    /// <summary>Takes the terminus, from another link if need be, and does something then. Nothing is read from the peer meanwhile.</summary>
    /// <param name="queue">The queue that a source takes from; null for a target.</param>
    /// <param name="policy">For how long it is to outlive the link.</param>
    /// <param name="then">What to do with it.</param>
    public void Take(Queue? queue, TerminusPolicy policy, Action then)
    {
        ArgumentTable arguments = Broker.Topology.Terminus.ArgumentsOf(Connection.ContainerId, _linkName, queue, policy.ExpiresMs);
        Await(_claim.TakeAsync(), () =>
        {
            int countMax = Connection.Limits.TerminiMax;
            Queue terminus = Client.VirtualHost.TryOpenTerminus(_name, arguments, countMax) ?? throw AmqpErrors.TooManyTermini(countMax);
            _terminus = new DurableTerminus(Client, terminus, policy);
            _terminus.Open();
            GiveUpEarlier(_session.LingeringTermini);
            GiveUpEarlier(Connection.LingeringTermini);
            then();
        });
    }

    /// <summary>Waits, and then goes on, unless the link has ended meanwhile: somebody else wants the terminus.</summary>
    public void Await(Task task, Action then) => Connection.Pauses.Suspend(task, () => Session10.GoOn(_link, then));

    /// <summary>Ends when all is on the disk that has happened until now.</summary>
    public Task WhenDurableAsync() => Connection.Broker.Sync.WhenDurableAsync(Terminus.Queue.Ticket);

    /// <summary>Lets go, also of what is only waited for.</summary>
    public void End(LinkEnd how)
    {
        try
        {
            if (how == LinkEnd.Closed) _terminus?.End();
            else if (_terminus?.Leave(how) == false) _session.LingeringTermini.Add(_terminus);
        }
        finally
        {
            _claim.Leave(); // whatever happens, or nobody could have it any more
        }
    }

    // What stayed of it after an earlier link has no say any more: this link's policy counts.
    private void GiveUpEarlier(List<DurableTerminus> lingering) => lingering.RemoveAll(earlier =>
    {
        bool isSame = ReferenceEquals(earlier.Queue, _terminus!.Queue);
        if (isSame) earlier.GiveUp();
        return isSame;
    });
}
