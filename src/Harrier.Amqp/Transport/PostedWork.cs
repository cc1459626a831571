using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace Harrier.Amqp.Transport;

/// <summary>What others want a connection's task to do. From any thread; it is done before the next frame.</summary>
internal sealed class PostedWork(PipeReader input)
{
    private readonly ConcurrentQueue<Action> _work = new();
    private volatile TaskCompletionSource _posted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when there is something to do.</summary>
    public Task WhenPosted => _posted.Task;

    public void Post(Action work)
    {
        _work.Enqueue(work);
        _posted.TrySetResult();
        input.CancelPendingRead();
    }

    /// <summary>Does it. The connection's task.</summary>
    public void Run()
    {
        if (_posted.Task.IsCompleted) _posted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously); // before the work is taken
        while (_work.TryDequeue(out Action? work)) work();
    }
}
