namespace Harrier.Broker.Flow;

/// <summary>Why publishers are held back.</summary>
[Flags]
public enum FlowReasons
{
    None = 0,
    Memory = 1,
    Disk = 2,
}

/// <summary>
/// The gate that publishers wait at while something runs short. Only publishers: consumers and acknowledgements go on, for they are what makes room.
/// Thread-safe.
/// </summary>
public sealed class FlowGate
{
    private readonly Lock _changing = new();
    private TaskCompletionSource? _opened;
    private volatile FlowReasons _reasons;
    private int _waitingCount;

    public bool IsOpen => _reasons == FlowReasons.None;

    /// <summary>Publishers that wait. May be a moment old.</summary>
    public int WaitingCount => Volatile.Read(ref _waitingCount);

    /// <summary>What clients are told, in RabbitMQ's words (behaviour section 1.1).</summary>
    public string ReasonText => _reasons switch
    {
        FlowReasons.Memory => "low on memory",
        FlowReasons.Disk => "low on disk",
        FlowReasons.None => "",
        _ => "low on memory & low on disk",
    };

    /// <summary>Adds or takes away a reason; answers whether that changed anything.</summary>
    public bool Set(FlowReasons reason, bool holds)
    {
        TaskCompletionSource? opened = null;
        lock (_changing)
        {
            FlowReasons now = holds ? _reasons | reason : _reasons & ~reason;
            if (now == _reasons) return false;
            _reasons = now;
            if (now == FlowReasons.None) (opened, _opened) = (_opened, null);
            else _opened ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        opened?.SetResult();
        return true;
    }

    /// <summary>Ends when the gate is open.</summary>
    public async Task WaitAsync(CancellationToken stop)
    {
        Task opened;
        lock (_changing) opened = _opened?.Task ?? Task.CompletedTask;
        Interlocked.Increment(ref _waitingCount);
        try
        {
            await opened.WaitAsync(stop);
        }
        finally
        {
            Interlocked.Decrement(ref _waitingCount);
        }
    }
}
