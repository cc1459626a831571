namespace Harrier.Crash.Load;

/// <summary>What a consumer has done and nobody has confirmed: acks have no answer. A confirmed message behind them tells that they are in the log.</summary>
internal sealed class Seal(IChannel channel, string queue, Ledger ledger)
{
    public const string Queue = "seals";

    public static readonly CreateChannelOptions ChannelOptions = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);

    public List<Copy> Received { get; } = [];

    public List<Copy> Acked { get; } = [];

    // The question sees to it that the broker has dealt with the acks before the message comes.
    public async Task CloseAsync(CancellationToken closed)
    {
        await channel.QueueDeclarePassiveAsync(queue, closed);
        await channel.BasicPublishAsync("", Queue, mandatory: true, new BasicProperties { Persistent = true }, "seal"u8.ToArray(), closed);
        ledger.OnSealed(Received, Acked);
        Received.Clear();
        Acked.Clear();
    }
}
