using Harrier.Broker;

namespace Harrier.Amqp.Transport;

/// <summary>Hears of what happens in a pause: a peer may want to know that its publications are held back (behaviour note 21).</summary>
internal interface IFlowNotices
{
    void OnHeldBack();

    void OnLetGo();

    /// <summary>Others want something done before the reading goes on.</summary>
    void OnPosted();
}

/// <summary>
/// What the reading of a connection waits for: the peer's reading of its answers, the disk, room for more messages. The heartbeat knows of it, and whoever wants
/// the connection to end can end the wait. Owned by the connection's task.
/// </summary>
internal sealed class ReadPauses(FrameOutput output, MessageBroker broker, HeartbeatMonitor heartbeat, TimeProvider time, IFlowNotices notices, PostedWork posted)
{
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(1);

    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (Task Task, Action Then)? _suspension;

    /// <summary>Whether nothing more is to be read until <see cref="ResumeAsync"/> is through.</summary>
    public bool IsSuspended => _suspension is not null;

    /// <summary>Ends whatever is waited for, now and later. From any thread.</summary>
    public void Interrupt() => _interrupted.TrySetResult();

    /// <summary>Has the reading wait for something and do something then.</summary>
    public void Suspend(Task task, Action then) => _suspension = (task, then);

    /// <summary>
    /// Waits for what the reading was suspended for: what to do now, or null when the wait was interrupted. What others have posted is done meanwhile: what is
    /// waited for may be theirs to give, while they wait for this connection.
    /// </summary>
    public async Task<Action?> ResumeAsync()
    {
        (Task task, Action then) = _suspension!.Value;
        bool isOver = await WaitAsync(Task.WhenAny(task, posted.WhenPosted), doesPosted: false);
        if (isOver && !task.IsCompleted) return static () => { };
        _suspension = null;
        return isOver ? then : null;
    }

    /// <summary>Waits for the peer to read what it asked for.</summary>
    public Task FlushAnswersAsync() => WaitAsync(output.WhenAnswersFlushedAsync());

    /// <summary>Waits while the disk has not kept up, and while publishers are held back.</summary>
    public async Task HoldBackAsync()
    {
        while (!_interrupted.Task.IsCompleted)
        {
            if (!broker.Flow.IsOpen) await AwaitOpenAsync();
            else if (broker.Sync.IsBehind) await WaitAsync(Task.Delay(Nap, time));
            else return;
        }
    }

    /// <summary>Waits for the gate to open; tells the client when it wants to know (note 21).</summary>
    private async Task AwaitOpenAsync()
    {
        heartbeat.Pause();
        notices.OnHeldBack();
        output.Flush();
        await WaitAsync(broker.Flow.WaitAsync(CancellationToken.None));
        if (!broker.Flow.IsOpen || output.IsClosed) return; // interrupted: the reading will see why
        notices.OnLetGo();
        output.Flush();
    }

    // Others may wait for what they have posted, and this for them: it is done meanwhile.
    private async Task<bool> WaitAsync(Task task, bool doesPosted = true)
    {
        heartbeat.Pause();
        while (doesPosted && await Task.WhenAny(task, _interrupted.Task, posted.WhenPosted) == posted.WhenPosted) notices.OnPosted();
        await Task.WhenAny(task, _interrupted.Task);
        heartbeat.Resume();
        return task.IsCompleted;
    }
}
