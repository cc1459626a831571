using Harrier.Amqp.V10.Durable;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Makes the link that an attach asks for. Refusals are thrown.</summary>
internal static class LinkFactory
{
    public static Link10 Create(Session10 session, in Attach attach)
    {
        if (attach.Role == Role.Sender) return CreateIncoming(session, in attach);
        if (attach.Source.IsEmpty) throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "a link to the peer needs a source");
        var reader = new ValueReader(attach.Source);
        if (reader.ReadDescriptor() != Source.Code) throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the source of a link to the peer is a source");
        Source source = Source.Decode(ref reader);
        if (Addresses10.IsManagement(source.Address)) return session.ManagementPairs.AttachReplies(in attach);
        SourceTerminus terminus = SourceFactory.Create(session.Connection, in source);
        if (terminus.Durability == TerminusDurability.UnsettledState) return new DurableOutgoingLink10(session, in attach, terminus);
        var link = new OutgoingLink10(session, in attach, terminus);
        session.Connection.DynamicNodes.Enter(session.Connection.Session, terminus.Queue);
        return link;
    }

    private static Link10 CreateIncoming(Session10 session, in Attach attach)
    {
        Target target = default;
        if (!attach.Target.IsEmpty)
        {
            var reader = new ValueReader(attach.Target);
            switch (reader.ReadDescriptor())
            {
                case Coordinator.Code: return new CoordinatorLink10(session, in attach);
                case Target.Code: target = Target.Decode(ref reader); break;
                default: throw AmqpErrors.InvalidField(AmqpErrorScope.Link, "the target of a link is a target or a coordinator");
            }
        }
        if (Addresses10.IsManagement(target.Address)) return session.ManagementPairs.AttachRequests(in attach);
        // Only a sender that waits for our settling before its own can ask again for what became of a delivery (1.0 part 2, section 2.6.12).
        bool isDurable = target.Durable == TerminusDurability.UnsettledState && attach.RcvSettleMode == ReceiverSettleMode.Second;
        if (!isDurable && target.Durable == TerminusDurability.UnsettledState) target = target with { Durable = TerminusDurability.Configuration };
        PublishTerminus terminus = TargetFactory.Create(session.Connection, in target);
        return terminus.Durability == TerminusDurability.UnsettledState ? new DurableIncomingLink10(session, in attach, terminus) : new IncomingLink10(session, in attach, terminus);
    }
}
