using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>What a peer's attach says, kept for as long as the answer takes.</summary>
internal sealed class AttachCopy(in Attach attach)
{
    public byte[] LinkName { get; } = attach.Name.ToArray();

    public SenderSettleMode SndSettleMode { get; } = attach.SndSettleMode;

    public ReceiverSettleMode RcvSettleMode { get; } = attach.RcvSettleMode;

    public byte[] Source { get; } = attach.Source.ToArray();

    public byte[] Target { get; } = attach.Target.ToArray();

    public UnsettledMap Unsettled { get; } = UnsettledMap.Read(attach.Unsettled);
}
