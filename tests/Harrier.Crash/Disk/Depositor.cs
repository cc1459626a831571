using System.Collections.Concurrent;
using RabbitMQ.Client.Events;

namespace Harrier.Crash.Disk;

/// <summary>What was sent, confirmed and taken out again, by the number in each message.</summary>
internal sealed class Deposits
{
    private long _lastId;

    public ConcurrentDictionary<long, bool> Sent { get; } = new();

    public ConcurrentDictionary<long, bool> Confirmed { get; } = new();

    public ConcurrentDictionary<long, bool> Acked { get; } = new();

    public long NewId()
    {
        long id = Interlocked.Increment(ref _lastId);
        Sent[id] = true;
        return id;
    }

    /// <summary>With all queues drained, nothing that was confirmed may be missing, and nothing may be there that was not sent.</summary>
    public void Check()
    {
        Confirmed.ShouldNotBeEmpty();
        Confirmed.Keys.Except(Acked.Keys).Order().Take(20).ShouldBeEmpty("confirmed, and neither acked before nor there now");
        Acked.Keys.Except(Sent.Keys).ShouldBeEmpty();
    }
}

/// <summary>A client that publishes persistent messages as fast as they are confirmed, and hears whether it is held back.</summary>
internal sealed class Depositor : IAsyncDisposable
{
    public const string Queue = "deposits";

    private const int Window = 64;
    private const int BodySize = 16 << 10;

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly Deposits _deposits;
    private readonly SemaphoreSlim _room = new(Window);
    private readonly CancellationTokenSource _stop = new();
    private readonly Queue<long> _outstanding = new();
    private readonly TaskCompletionSource<string> _blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _unblocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _publishing;
    private ulong _lastTag;

    private Depositor(IConnection connection, IChannel channel, Deposits deposits)
    {
        _connection = connection;
        _channel = channel;
        _deposits = deposits;
        connection.ConnectionBlockedAsync += OnBlockedAsync;
        connection.ConnectionUnblockedAsync += OnUnblockedAsync;
        connection.ConnectionShutdownAsync += (_, _) => _stop.CancelAsync();
        channel.BasicAcksAsync += OnConfirmedAsync;
        _publishing = Task.Run(PublishAsync);
    }

    /// <summary>The reason that the broker gives when it holds this client back for the first time.</summary>
    public Task<string> Blocked => _blocked.Task;

    public Task Unblocked => _unblocked.Task;

    /// <summary>Declares the queue and begins to publish.</summary>
    public static async Task<Depositor> StartAsync(HarrierProcess broker, Deposits deposits)
    {
        IConnection connection = await broker.ConnectAsync();
        IChannel channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false));
        await channel.QueueDeclareAsync(Queue, durable: true, exclusive: false, autoDelete: false);
        return new Depositor(connection, channel, deposits);
    }

    /// <summary>Ends when so many more messages have been confirmed.</summary>
    public Task ConfirmsAsync(int more)
    {
        int enough = _deposits.Confirmed.Count + more;
        return Patience.EventuallyAsync(() => _deposits.Confirmed.Count >= enough, $"{more} more messages are confirmed");
    }

    /// <summary>Ends publishing; what is outstanding may still be confirmed.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _publishing.InTimeAsync("the publisher's end");
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        try
        {
            await _connection.AbortAsync(TimeSpan.FromSeconds(1));
            await _connection.DisposeAsync();
        }
        catch (Exception)
        {
            // The broker may be gone.
        }
        _room.Dispose();
        _stop.Dispose();
    }

    private async Task PublishAsync()
    {
        try
        {
            while (true)
            {
                // A broker tells only those who publish that they are held back (note 21), so it does not wait for confirms for ever.
                await _room.WaitAsync(TimeSpan.FromMilliseconds(100), _stop.Token);
                long id = _deposits.NewId();
                byte[] body = new byte[BodySize];
                BitConverter.TryWriteBytes(body, id);
                lock (_outstanding) _outstanding.Enqueue(id);
                await _channel.BasicPublishAsync("", Queue, mandatory: true, new BasicProperties { Persistent = true }, body, _stop.Token);
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested || e is RabbitMQ.Client.Exceptions.AlreadyClosedException)
        {
            // The end of it, or of the broker.
        }
    }

    // The oldest are confirmed first; Harrier confirms in order.
    private Task OnConfirmedAsync(object sender, BasicAckEventArgs confirm)
    {
        int count = (int)(confirm.DeliveryTag - _lastTag);
        _lastTag = confirm.DeliveryTag;
        lock (_outstanding)
        {
            for (int i = 0; i < count; i++) _deposits.Confirmed[_outstanding.Dequeue()] = true;
        }
        if (!_stop.IsCancellationRequested) _room.Release(count);
        return Task.CompletedTask;
    }

    private Task OnBlockedAsync(object sender, ConnectionBlockedEventArgs blocked)
    {
        _blocked.TrySetResult(blocked.Reason);
        return Task.CompletedTask;
    }

    private Task OnUnblockedAsync(object sender, AsyncEventArgs unblocked)
    {
        _unblocked.TrySetResult();
        return Task.CompletedTask;
    }
}
