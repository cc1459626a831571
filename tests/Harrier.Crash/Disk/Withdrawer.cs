namespace Harrier.Crash.Disk;

/// <summary>A client that only consumes, which no want of space may hold back.</summary>
internal static class Withdrawer
{
    /// <summary>Takes and acks messages until it is enough.</summary>
    public static async Task TakeAsync(HarrierProcess broker, Deposits deposits, Func<bool> isEnough)
    {
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        using var late = new CancellationTokenSource(2 * Patience.Limit);
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!isEnough())
        {
            if (!await TryTakeAsync(channel, deposits, late.Token)) await clock.WaitForNextTickAsync(late.Token);
        }
        await connection.CloseAsync(late.Token); // all acks have been dealt with when this is answered
    }

    /// <summary>Takes and acks all there is; how many that were.</summary>
    public static async Task<int> DrainAsync(HarrierProcess broker, Deposits deposits)
    {
        int count = 0;
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        using var late = new CancellationTokenSource(2 * Patience.Limit);
        while (await TryTakeAsync(channel, deposits, late.Token)) count++;
        (await channel.MessageCountAsync(Depositor.Queue, late.Token)).ShouldBe(0u);
        await connection.CloseAsync(late.Token);
        return count;
    }

    private static async Task<bool> TryTakeAsync(IChannel channel, Deposits deposits, CancellationToken late)
    {
        if (await channel.BasicGetAsync(Depositor.Queue, autoAck: false, late) is not { } message) return false;
        deposits.Acked[BitConverter.ToInt64(message.Body.Span)] = true;
        await channel.BasicAckAsync(message.DeliveryTag, multiple: false, late);
        return true;
    }
}
