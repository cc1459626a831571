namespace Harrier.Crash.Load;

/// <summary>One round of a client: it goes on until its connection dies, and it may only die because the broker does.</summary>
internal sealed class ClientLife(string name, HarrierProcess broker, Ledger ledger, CancellationToken ending)
{
    public async Task RunAsync(Func<IConnection, CancellationToken, Task> goOn)
    {
        using var closed = new CancellationTokenSource();
        IConnection? connection = null;
        try
        {
            connection = await broker.ConnectAsync();
            connection.ConnectionShutdownAsync += (_, _) => closed.CancelAsync();
            await goOn(connection, closed.Token);
            ledger.Violate($"{name} has ended by itself");
        }
        catch (Exception e)
        {
            // Whatever a client library throws when its socket is gone. Before that, nothing may be thrown.
            if (!ending.IsCancellationRequested) ledger.Violate($"{name} failed while the broker was up: {e}");
        }
        finally
        {
            if (connection is not null) await DisposeAsync(connection);
        }
    }

    private static async Task DisposeAsync(IConnection connection)
    {
        try
        {
            await connection.AbortAsync(TimeSpan.FromSeconds(1));
            await connection.DisposeAsync();
        }
        catch (Exception)
        {
            // Its socket is gone; that is what the round was about.
        }
    }
}
