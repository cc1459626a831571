using System.Text;
using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>
/// The publishing side of one channel: puts method, header and body frames together to a message, checks and routes it, and confirms it. Owned by the
/// connection's task.
/// </summary>
internal sealed class Publisher091(Channel091 channel)
{
    /// <summary>Bytes that no body may announce, whatever the configured limit (RabbitMQ's hard maximum).</summary>
    public const ulong BodyBytesMax = 512UL << 20;

    // Room for the body made when the header arrives. What is announced beyond it is believed when it comes.
    private const int BodyCapacityFirst = 16 << 10;

    private readonly PublishTarget _target = new(channel.Connection.Session);
    private readonly ChannelConfirms _confirmed = new(channel.Number);
    private Stage _stage;
    private bool _isMandatory;
    private Message? _message;
    private ulong _bodyLeft;
    private ulong _bodySize;
    private ConfirmTracker? _confirms;

    private enum Stage
    {
        Method,
        Header,
        Body,
    }

    /// <summary>Whether the client asked for confirms.</summary>
    public bool IsConfirming => _confirms is not null;

    private ClientSession Session => channel.Connection.Session;

    /// <summary>From now on, every publication is confirmed; the first is number 1 (behaviour note 66).</summary>
    public void SelectConfirms() => _confirms ??= new ConfirmTracker();

    /// <summary>Refuses a method while content is due.</summary>
    public void ExpectMethod()
    {
        if (_stage == Stage.Header) throw ErrorCatalogue.ExpectedHeader((int)((uint)AmqpMethod.BasicPublish >> 16));
        if (_stage == Stage.Body) throw ErrorCatalogue.ExpectedBody();
    }

    public void OnPublish(in BasicPublish method)
    {
        if (method.Immediate) throw ErrorCatalogue.NotImplemented("immediate=true");
        _target.Aim(method.Exchange, method.RoutingKey);
        _isMandatory = method.Mandatory;
        _stage = Stage.Header;
    }

    public void OnHeader(ReadOnlySpan<byte> payload)
    {
        if (_stage == Stage.Method) throw ErrorCatalogue.ExpectedMethodFrame();
        channel.Connection.FailingMethod = AmqpMethod.BasicPublish;
        if (_stage == Stage.Body) throw ErrorCatalogue.ExpectedBody();
        ContentHeader header = ContentHeader.Read(payload);
        const int BasicClass = (int)((uint)AmqpMethod.BasicPublish >> 16);
        if (header.ClassId != BasicClass) throw ErrorCatalogue.ExpectedHeaderOfClass(BasicClass, header.ClassId);
        if (header.BodySize > BodyBytesMax) throw ErrorCatalogue.BodySizeExceedsLimit(header.BodySize, (long)BodyBytesMax);

        _bodySize = _bodyLeft = header.BodySize;
        // A body over the configured limit is read to its end, thrown away, and refused then (note 60).
        if (_bodySize <= (ulong)channel.Connection.Limits.MessageBytesMax)
        {
            _message = Message.Rent(
                MessageFormat091.Instance, _target.ExchangeName, _target.RoutingKey, header.Properties, (int)Math.Min(_bodySize, BodyCapacityFirst));
        }
        _stage = Stage.Body;
        channel.Connection.OnPublished(); // already now: what is not complete takes memory too
        if (_bodyLeft == 0) Complete(); // an empty body has no frame (note 14)
    }

    public void OnBody(ReadOnlySpan<byte> payload)
    {
        if (_stage == Stage.Method) throw ErrorCatalogue.ExpectedMethodFrame();
        channel.Connection.FailingMethod = AmqpMethod.BasicPublish;
        if (_stage == Stage.Header) throw ErrorCatalogue.ExpectedHeader((int)((uint)AmqpMethod.BasicPublish >> 16));
        if ((ulong)payload.Length > _bodyLeft) throw ErrorCatalogue.BodyExceedsAnnounced();
        channel.Connection.OnPublished();
        _message?.AppendBody(payload, (int)_bodySize);
        _bodyLeft -= (ulong)payload.Length;
        if (_bodyLeft == 0) Complete();
    }

    /// <summary>Has the publications that the queues have taken or refused answered, once what was taken is durable.</summary>
    public void SendConfirms()
    {
        if (_confirms is null) return;
        while (_confirms.TryTakeAnswered(out ConfirmRun run)) channel.Connection.Confirms.Add((_confirmed, run), Session.Commands.Ticket);
    }

    /// <summary>Gives up a message that is not complete, and confirms that are not due yet.</summary>
    public void Close()
    {
        channel.Connection.Confirms.Forget(_confirmed);
        _message?.Release();
        _message = null;
        _stage = Stage.Method;
    }

    /// <summary>Answers a client for a message that went nowhere (note 64); it comes before the confirm.</summary>
    public void Return(Message message)
    {
        var method = new BasicReturn
        {
            ReplyCode = ReplyCode.NoRoute,
            ReplyText = "NO_ROUTE"u8,
            Exchange = message.ExchangeBytes,
            RoutingKey = message.RoutingKeyBytes,
        };
        lock (channel.Connection.Output.Gate)
            ContentWriter.Write(channel.Connection.Output, channel.Number, in method, message, channel.Connection.FrameBytesMax);
    }

    /// <summary>Hands a reply straight to the waiting requester (note 97); it counts as unroutable when that is gone. Gives up the message.</summary>
    public void Reply(Message message, bool isMandatory)
    {
        bool delivered = Session.VirtualHost.DirectReplies.TryFind(message.RoutingKey, out IReplyConsumer? consumer) && consumer.TryDeliver(message);
        if (!delivered && isMandatory) Return(message);
        message.Release();
    }

    private void Complete()
    {
        _stage = Stage.Method;
        if (_message is null) throw ErrorCatalogue.MessageTooLarge(_bodySize, channel.Connection.Limits.MessageBytesMax);
        Message message = _message;
        _message = null;
        try
        {
            message = Prepare(message);
        }
        catch
        {
            message.Release();
            throw;
        }
        Publish(message);
    }

    /// <summary>The checks in their order (note 56), and the changes that the broker makes to some messages.</summary>
    private Message Prepare(Message message)
    {
        _target.Resolve();
        PublishProperties properties = PublishProperties.Read(message.Properties);
        message.IsPersistent = properties.DeliveryMode == 2;
        message.Priority = properties.Priority;
        message.ArrivedAtMs = channel.Connection.Clock.NowMs;
        if (properties.ExpirationMs is { } lifetimeMs) message.ExpiresAtMs = message.ArrivedAtMs + lifetimeMs;
        if ((properties.Present & BasicPropertyFlags.UserId) != BasicPropertyFlags.None) Session.CheckUserId(properties.UserId);
        message.ExtraRoutingKeys = properties.ExtraRoutingKeys(out bool hasBcc);
        bool isRequest = properties.ReplyTo.SequenceEqual(DirectReplies.QueueName);
        Utf8Name replyTo = isRequest ? channel.Consumers.ReplyName ?? throw ErrorCatalogue.NoReplyConsumer() : default;
        // From here on nothing is refused, for a rewrite gives up the message it was called with.
        if (hasBcc) message = Rewrite(message, PropertyRewriter.WithoutHeader(message.Properties, "BCC"u8));
        if (isRequest) message = Rewrite(message, PropertyRewriter.WithReplyTo(message.Properties, replyTo.Span));
        return message;
    }

    private static Message Rewrite(Message message, byte[] properties)
    {
        Message rewritten = message.Copy(message.ExchangeBytes, message.RoutingKeyBytes, properties);
        message.Release();
        return rewritten;
    }

    private void Publish(Message message)
    {
        bool isReply = message.ExchangeBytes.IsEmpty && DirectReplies.IsReplyName(message.RoutingKeyBytes);
        if (channel.Transaction is { } transaction)
        {
            if (isReply) transaction.Reply(message, _isMandatory);
            else transaction.Publish(message, Route(message), _isMandatory);
            return;
        }
        if (isReply)
        {
            Reply(message, _isMandatory);
            Confirm(0);
            return;
        }
        RouteSet routes = Route(message);
        PublishReceipt receipt = Confirm(routes.Count);
        if (routes.Count == 0)
        {
            if (_isMandatory) Return(message);
            message.Release();
            return;
        }
        if (routes.Count > 1) message.AddReferences(routes.Count - 1);
        for (int i = 0; i < routes.Count; i++)
            Session.Commands.Add(new QueueCommand(QueueCommandKind.Enqueue, routes[i], message, receipt));
    }

    private RouteSet Route(Message message)
    {
        try
        {
            return _target.Route(message);
        }
        catch
        {
            message.Release(); // its exchange has gone while the message was put together
            throw;
        }
    }

    private PublishReceipt Confirm(int queueCount)
    {
        if (_confirms is null) return default;
        channel.Connection.ConfirmLater(channel);
        return new PublishReceipt(_confirms, _confirms.Begin(queueCount));
    }
}
