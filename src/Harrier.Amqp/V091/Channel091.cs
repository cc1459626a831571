using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Queues;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// One channel of a connection: hands each frame to the part that deals with it, and contains the errors that end only the channel. Owned by the connection's
/// task; deliveries to its consumers are written by others.
/// </summary>
internal sealed class Channel091
{
    private readonly Publisher091 _publisher;
    private readonly TopologyMethods091 _topology;
    private bool _isClosing;

    public Channel091(Connection091 connection, ushort number)
    {
        Connection = connection;
        Number = number;
        Consumers = new Consumers091(this);
        _publisher = new Publisher091(this);
        _topology = new TopologyMethods091(this);
    }

    public Connection091 Connection { get; }

    public ushort Number { get; }

    public Consumers091 Consumers { get; }

    /// <summary>Deliveries that wait for their acknowledgement. Guarded by the output's gate.</summary>
    public UnackedDeliveries<Queue> Unacked { get; } = new();

    /// <summary>The transaction, when the channel is in that mode.</summary>
    public Transaction091? Transaction { get; private set; }

    /// <summary>What an empty queue name stands for: the last queue declared here (behaviour note 29).</summary>
    public Utf8Name LastQueue { get; set; }

    /// <summary>Whether it stands in the connection's list of channels with confirms to send.</summary>
    public bool IsConfirmDue { get; set; }

    /// <summary>Ends the channel for something that no method of its client's has done. Does nothing when it is ending already.</summary>
    public void End(BrokerException error)
    {
        if (!_isClosing) Fail(error, default);
    }

    /// <summary>Does something after a wait, as the method that had to wait would have done it.</summary>
    public void Resume(AmqpMethod method, Action action)
    {
        if (_isClosing) return; // it was ended meanwhile
        try
        {
            action();
        }
        catch (BrokerException e) when (e.Scope == ErrorScope.Channel)
        {
            Fail(e, method);
        }
    }

    /// <summary>Answers once everything that the session has done is durable. Nothing more is read before.</summary>
    public void AnswerOnceDurable(Action answer)
    {
        if (Connection.Broker.Sync.IsDurable(Connection.Session.Ticket)) answer();
        else AnswerAfter(Connection.Broker.Sync.WhenDurableAsync(Connection.Session.Ticket), answer);
    }

    /// <summary>Answers after something has ended. Nothing more is read before.</summary>
    public void AnswerAfter(Task task, Action answer)
    {
        AmqpMethod method = Connection.FailingMethod;
        Connection.Pauses.Suspend(task, () => Resume(method, answer));
    }

    /// <summary>Works through one frame. A channel error is answered here; a connection error is thrown.</summary>
    public void Apply(in Frame frame)
    {
        try
        {
            switch (frame.Type)
            {
                case FrameType.Method:
                    var reader = new WireReader(frame.Payload);
                    Connection.FailingMethod = (AmqpMethod)reader.ReadLong();
                    OnMethod(Connection.FailingMethod, reader.Rest);
                    break;
                case FrameType.Header when !_isClosing: _publisher.OnHeader(frame.Payload); break;
                case FrameType.Body when !_isClosing: _publisher.OnBody(frame.Payload); break;
            }
        }
        catch (BrokerException e) when (e.Scope == ErrorScope.Channel)
        {
            Fail(e, Connection.FailingMethod);
        }
    }

    public void Write<TMethod>(in TMethod method) where TMethod : IMethod, allows ref struct => Connection.Output.WriteMethod(Number, in method);

    /// <summary>Writes the confirms that are due.</summary>
    public void SendConfirms()
    {
        IsConfirmDue = false;
        if (!_isClosing) _publisher.SendConfirms();
    }

    /// <summary>The queue that a name in a method means; throws 404 when it is empty and nothing was declared.</summary>
    public Utf8Name QueueName(ReadOnlySpan<byte> name)
    {
        if (!name.IsEmpty) return new Utf8Name(name);
        return LastQueue.IsEmpty ? throw ErrorCatalogue.NoQueueDeclared() : LastQueue;
    }

    /// <summary>Ends everything that the channel holds. What it had unacked is ready again.</summary>
    public void Close()
    {
        _isClosing = true;
        _publisher.Close();
        RollBack();
        Consumers.Close();
    }

    private void OnMethod(AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        if (_isClosing)
        {
            OnMethodWhileClosing(method);
            return;
        }
        _publisher.ExpectMethod();
        switch (method)
        {
            case AmqpMethod.BasicPublish: _publisher.OnPublish(BasicPublish.Decode(arguments)); return;
            case AmqpMethod.BasicAck: OnAck(BasicAck.Decode(arguments)); return;
            case AmqpMethod.BasicNack: OnNack(BasicNack.Decode(arguments)); return;
            case AmqpMethod.BasicReject: OnReject(BasicReject.Decode(arguments)); return;
        }
        // Everything else must see what was published and acknowledged before it.
        Connection.Session.Commands.Run();
        OnRareMethod(method, arguments);
    }

    private void OnRareMethod(AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        switch (method)
        {
            case AmqpMethod.BasicQos: Consumers.OnQos(BasicQos.Decode(arguments)); break;
            case AmqpMethod.BasicConsume: Consumers.OnConsume(BasicConsume.Decode(arguments)); break;
            case AmqpMethod.BasicCancel: Consumers.OnCancel(BasicCancel.Decode(arguments)); break;
            case AmqpMethod.BasicCancelOk: break; // an answer to our notification that no client needs to give (note 83)
            case AmqpMethod.BasicGet: Consumers.OnGet(BasicGet.Decode(arguments)); break;
            case AmqpMethod.BasicRecover: OnRecover(BasicRecover.Decode(arguments)); break;
            case AmqpMethod.BasicRecoverAsync: Consumers.Recover(BasicRecoverAsync.Decode(arguments).Requeue); break;
            case AmqpMethod.ChannelOpen: throw ErrorCatalogue.SecondChannelOpen();
            case AmqpMethod.ChannelFlow: OnFlow(ChannelFlow.Decode(arguments)); break;
            case AmqpMethod.ChannelClose: OnClose(); break;
            case AmqpMethod.AccessRequest: Write(new AccessRequestOk { Ticket = 1 }); break;
            case AmqpMethod.ExchangeDeclare: _topology.OnExchangeDeclare(ExchangeDeclare.Decode(arguments)); break;
            case AmqpMethod.ExchangeDelete: _topology.OnExchangeDelete(ExchangeDelete.Decode(arguments)); break;
            case AmqpMethod.ExchangeBind: _topology.OnExchangeBind(ExchangeBind.Decode(arguments)); break;
            case AmqpMethod.ExchangeUnbind: _topology.OnExchangeUnbind(ExchangeUnbind.Decode(arguments)); break;
            case AmqpMethod.QueueDeclare: _topology.OnQueueDeclare(QueueDeclare.Decode(arguments)); break;
            case AmqpMethod.QueueBind: _topology.OnQueueBind(QueueBind.Decode(arguments)); break;
            case AmqpMethod.QueueUnbind: _topology.OnQueueUnbind(QueueUnbind.Decode(arguments)); break;
            case AmqpMethod.QueuePurge: _topology.OnQueuePurge(QueuePurge.Decode(arguments)); break;
            case AmqpMethod.QueueDelete: _topology.OnQueueDelete(QueueDelete.Decode(arguments)); break;
            case AmqpMethod.ConfirmSelect: OnConfirmSelect(ConfirmSelect.Decode(arguments)); break;
            case AmqpMethod.TxSelect: OnTxSelect(); break;
            case AmqpMethod.TxCommit: OnTxCommit(); break;
            case AmqpMethod.TxRollback: OnTxRollback(); break;
            default: throw Unexpected(method);
        }
    }

    private static BrokerException Unexpected(AmqpMethod method) => MethodCatalogue.NameOf(method) is { } name
        ? ErrorCatalogue.MethodNotForServer(name)
        : ErrorCatalogue.UnknownMethod((uint)method);

    /// <summary>Nothing counts any more but the end of the channel (note 17).</summary>
    private void OnMethodWhileClosing(AmqpMethod method)
    {
        if (method == AmqpMethod.ChannelClose) Write(new ChannelCloseOk());
        else if (method == AmqpMethod.ChannelCloseOk) Connection.Remove(this);
    }

    private void OnAck(in BasicAck method) => Consumers.Settle(method.DeliveryTag, method.Multiple, Outcome.Accepted);

    private void OnNack(in BasicNack method) =>
        Consumers.Settle(method.DeliveryTag, method.Multiple, method.Requeue ? Outcome.Released : Outcome.Rejected);

    // Unlike a nack, it says that the consumer has tried in vain (note 88).
    private void OnReject(in BasicReject method) =>
        Consumers.Settle(method.DeliveryTag, multiple: false, method.Requeue ? Outcome.Failed : Outcome.Rejected);

    private void OnRecover(in BasicRecover method)
    {
        Consumers.Recover(method.Requeue);
        Write(new BasicRecoverOk());
    }

    private void OnFlow(in ChannelFlow method)
    {
        if (!method.Active) throw ErrorCatalogue.NotImplemented("active=false"); // note 91
        Write(new ChannelFlowOk { Active = true });
    }

    private void OnClose()
    {
        SendConfirms();
        Close();
        Write(new ChannelCloseOk());
        Connection.Remove(this);
    }

    private void OnConfirmSelect(in ConfirmSelect method)
    {
        if (Transaction is not null) throw ErrorCatalogue.TxToConfirm();
        _publisher.SelectConfirms();
        if (!method.Nowait) Write(new ConfirmSelectOk());
    }

    private void OnTxSelect()
    {
        if (_publisher.IsConfirming) throw ErrorCatalogue.ConfirmToTx();
        Transaction ??= new Transaction091(Connection.Limits.TransactionBytesMax);
        Write(new TxSelectOk());
    }

    private void OnTxCommit()
    {
        if (Transaction is null) throw ErrorCatalogue.NotTransactional();
        Transaction.Commit(Connection.Session.Commands, _publisher, Connection.Clock.NowMs);
        AnswerOnceDurable(() => Write(new TxCommitOk()));
    }

    private void OnTxRollback()
    {
        if (Transaction is null) throw ErrorCatalogue.NotTransactional();
        RollBack();
        Write(new TxRollbackOk());
    }

    private void RollBack()
    {
        if (Transaction is null) return;
        IReadOnlyList<Settling<Queue>> settled = Transaction.Rollback();
        lock (Connection.Output.Gate) Unacked.Restore(settled);
    }

    private void Fail(BrokerException error, AmqpMethod method)
    {
        Connection.LogChannelError(Number, error);
        Connection.Session.Commands.Run();
        SendConfirms();
        Close();
        Write(new ChannelClose
        {
            ReplyCode = (ushort)error.Code,
            ReplyText = ReplyText.Of(error),
            ClassId = (ushort)((uint)method >> 16),
            MethodId = (ushort)method,
        });
    }
}
