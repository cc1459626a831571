using System.Threading.Channels;

namespace Harrier.Broker.Durability;

/// <summary>
/// Does what queues do by themselves, one piece after the other: what is due, and what has to be read from disk to leave. On the thread pool it would take the
/// threads that serve connections; here it competes with them for a core like one of them. Thread-safe.
/// </summary>
internal sealed class BackgroundThread : IDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Thread _thread;

    public BackgroundThread()
    {
        _thread = new Thread(Run) { Name = "background", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Does it soon. Once this has ended it is not done at all. The work does not throw.</summary>
    public void Post(Action work) => _work.Writer.TryWrite(work);

    /// <summary>Does what was asked for, and ends.</summary>
    public void Dispose()
    {
        _work.Writer.Complete();
        _thread.Join();
    }

    private void Run()
    {
        while (_work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            while (_work.Reader.TryRead(out Action? work)) work();
    }
}
