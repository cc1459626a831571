using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>What a peer's attach says, kept for as long as the answer takes.</summary>
internal sealed class AttachCopy(in Attach attach)
{
    private readonly Role _role = attach.Role;

    public byte[] LinkName { get; } = attach.Name.ToArray();

    public SenderSettleMode SndSettleMode { get; } = attach.SndSettleMode;

    public ReceiverSettleMode RcvSettleMode { get; } = attach.RcvSettleMode;

    public byte[] Source { get; } = attach.Source.ToArray();

    public byte[] Target { get; } = attach.Target.ToArray();

    /// <summary>Whether more deliveries are unsettled than the map tells: the absence of one says nothing then (1.0 part 2, section 2.7.3).</summary>
    public bool IsIncomplete { get; } = attach.IncompleteUnsettled;

    /// <summary>The attach that goes before the detach of a link that is refused: without a terminus of ours (1.0 part 2, section 2.6.3).</summary>
    public Attach Refusal(uint handle)
    {
        bool isSender = _role == Role.Receiver;
        return new Attach
        {
            Name = LinkName,
            Handle = handle,
            Role = isSender ? Role.Sender : Role.Receiver,
            Source = isSender ? default : Source,
            Target = isSender ? Target : default,
            InitialDeliveryCount = isSender ? 0 : null,
        };
    }
}
