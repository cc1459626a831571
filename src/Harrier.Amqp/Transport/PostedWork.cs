using System.Collections.Concurrent;
using System.IO.Pipelines;

namespace Harrier.Amqp.Transport;

/// <summary>What others want a connection's task to do. From any thread; it is done before the next frame.</summary>
internal sealed class PostedWork(PipeReader input)
{
    private readonly ConcurrentQueue<Action> _work = new();

    public void Post(Action work)
    {
        _work.Enqueue(work);
        input.CancelPendingRead();
    }

    /// <summary>Does it. The connection's task.</summary>
    public void Run()
    {
        while (_work.TryDequeue(out Action? work)) work();
    }
}
