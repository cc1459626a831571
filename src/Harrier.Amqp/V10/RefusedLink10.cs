using Harrier.Amqp.V10.Durable;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>A link that is refused: it is attached without a terminus of ours and detached at once (1.0 part 2, section 2.6.3).</summary>
internal sealed class RefusedLink10(Session10 session, uint handle, AmqpException error) : Link10(session, handle)
{
    public override void Answer(in Attach attach)
    {
        Session.Write(new AttachCopy(in attach).Refusal(Handle));
        Detach(error);
    }

    protected override void End(LinkEnd how)
    {
    }
}
