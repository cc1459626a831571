using System.Runtime.InteropServices;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>
/// A link from the peer that remembers what it has received until the peer has settled it (1.0 part 2, sections 2.6.12 and 2.6.13): a message joins its queues and its tag the
/// terminus as one, so that a sender that comes back is told what became of each delivery, and sends again only what was not received.
/// </summary>
internal sealed class DurableIncomingLink10 : IncomingLink10
{
    private readonly AttachCopy _attach;
    private readonly UnsettledMap _unsettled;
    private readonly PublishTerminus _target;
    private readonly string _linkName;
    private readonly List<QueueCommand> _group = [];
    private readonly TerminusRegistry.Claim _claim;
    private DurableTerminus? _terminus;
    private byte[] _tag = [];

    public DurableIncomingLink10(Session10 session, in Attach attach, PublishTerminus target) : base(session, in attach, target)
    {
        _attach = new AttachCopy(in attach);
        _unsettled = UnsettledMap.Read(attach.Unsettled);
        _target = target;
        _linkName = System.Text.Encoding.UTF8.GetString(attach.Name);
        _claim = Connection.Termini.Ask(Client.VirtualHost.Name, TerminusName.ToString(), this);
    }

    private Utf8Name TerminusName => Terminus.NameOf(Connection.ContainerId, _linkName, isSource: false);

    /// <summary>Takes the terminus, from another link if need be; the answer is written when all is known that was received.</summary>
    public override void Answer(in Attach attach) => Connection.Pauses.Suspend(_claim.TakeAsync(), () => Session.GoOn(this, _attach, Read));

    public override void OnTransfer(in Transfer transfer, ReadOnlySpan<byte> payload)
    {
        if (!transfer.DeliveryTag.IsNull)
        {
            if (transfer.DeliveryTag.Length > UnsettledMap.TagSizeMax)
                throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"a delivery tag has more than {UnsettledMap.TagSizeMax} bytes");
            _tag = transfer.DeliveryTag.ToArray();
            if (_terminus!.HasReceived(_tag))
            {
                Resume(in transfer);
                return;
            }
        }
        base.OnTransfer(in transfer, payload);
    }

    /// <summary>The peer has settled a delivery.</summary>
    public void Forget(byte[] tag) => _terminus?.Forget(tag);

    protected override void Publish(Message message, RouteSet routes)
    {
        if (IsSettled || routes.Count == 0)
        {
            base.Publish(message, routes); // nobody will ask for what became of it, or nothing has
            return;
        }
        _group.Clear();
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++) _group.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message));
        QueueCommand note = _terminus!.Receive(_tag);
        _group.Add(note);
        bool isTaken = Client.Commands.RunAtomically(CollectionsMarshal.AsSpan(_group));
        if (isTaken)
        {
            Session.AwaitingSender[DeliveryId] = (this, _tag);
            Session.Answer(DeliveryId, DeliveryState.Accepted, isSettled: false);
            return;
        }
        foreach (QueueCommand command in _group) command.Message!.Release();
        Session.Answer(DeliveryId, DeliveryState.Rejected, isSettled: true);
    }

    protected override void End(LinkEnd how)
    {
        base.End(how);
        if (how == LinkEnd.Closed) _terminus?.End();
        else if (_terminus?.Leave(how) == false) Session.LingeringTermini.Add(_terminus);
        _claim.Leave();
    }

    // It was received before: what comes now is its name only, or once more what is here already.
    private void Resume(in Transfer transfer)
    {
        if (transfer.DeliveryId is not { } id) return; // a part of it that follows
        if (transfer.Settled == true)
        {
            _terminus!.Forget(_tag);
            return;
        }
        Session.AwaitingSender[id] = (this, _tag);
        Session.Answer(id, DeliveryState.Accepted, isSettled: false);
    }

    private void Read()
    {
        ArgumentTable arguments = Terminus.ArgumentsOf(Connection.ContainerId, _linkName, queue: null, _target.Policy.ExpiresMs);
        _terminus = new DurableTerminus(Client, Client.VirtualHost.OpenTerminus(TerminusName, arguments), _target.Policy);
        _terminus.Open();
        Connection.Pauses.Suspend(Task.WhenAll(_terminus.WhenRead, Connection.Broker.Sync.WhenDurableAsync(Client.Ticket)), () => Session.GoOn(this, _attach, Reply));
    }

    private void Reply()
    {
        var known = new List<byte[]>();
        foreach (byte[] tag in _terminus!.ReceivedTags)
        {
            if (_unsettled.Contains(tag)) known.Add(tag);
            else _terminus.Forget(tag); // settled by the peer, though we have not heard of it
        }
        byte[] unsettled = UnsettledMap.Encode(known, DeliveryState.Accepted, Connection.PeerFrameBytesMax / 2, out bool isComplete);
        Session.Write(new Attach
        {
            Name = _attach.LinkName,
            Handle = Handle,
            Role = Role.Receiver,
            SndSettleMode = _attach.SndSettleMode,
            RcvSettleMode = _attach.RcvSettleMode,
            Source = _attach.Source,
            Target = _target.Encode(),
            Unsettled = unsettled.Length == 0 ? default : unsettled,
            IncompleteUnsettled = !isComplete,
            MaxMessageSize = (ulong)Connection.Limits.MessageBytesMax,
        });
        GrantCredit();
    }
}
