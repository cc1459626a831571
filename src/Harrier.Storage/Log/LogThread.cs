using Harrier.Storage.Disk;
using Microsoft.Extensions.Logging;

namespace Harrier.Storage.Log;

/// <summary>
/// The thread that commits the log for as long as the process lives. A failed write or sync ends it: nothing more is confirmed, and whoever is told ends
/// the process. Want of space does not: what is queued waits until there is some.
/// </summary>
public sealed partial class LogThread : IDisposable
{
    // How long acknowledgements wait for a publication to share its sync. What is lost with them in a crash is delivered again.
    private static readonly TimeSpan LazyTime = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan IdleTime = TimeSpan.FromMilliseconds(100);

    private readonly WriteAheadLog _commits;
    private readonly Action<Exception> _onFailure;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private volatile bool _isStopping;

    public LogThread(WriteAheadLog commits, Action<Exception> onFailure, ILogger log)
    {
        _commits = commits;
        _onFailure = onFailure;
        _log = log;
        _thread = new Thread(Run) { Name = "log", IsBackground = true, Priority = ThreadPriority.AboveNormal };
        _thread.Start();
    }

    /// <summary>Writes what is queued and ends.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _commits.Stop();
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (true)
            {
                bool hasWork = _commits.WaitForWork(LazyTime, IdleTime);
                if (hasWork) CommitOrWait();
                if (_isStopping && _commits.IsFull) return; // nobody was promised what is left
                if (!hasWork)
                {
                    MarkOrWait();
                    if (_isStopping) return;
                }
            }
        }
        catch (Exception e)
        {
            LogFailed(e);
            _onFailure(e);
        }
    }

    private void CommitOrWait()
    {
        try
        {
            _commits.Commit();
            _commits.IsFull = false;
        }
        catch (DiskFullException e)
        {
            if (!_commits.IsFull) LogFull(e.Message);
            _commits.IsFull = true;
            if (!_isStopping) _commits.WaitForSpace(IdleTime);
        }
    }

    private void MarkOrWait()
    {
        try
        {
            _commits.Mark();
        }
        catch (DiskFullException)
        {
            // It is only a mark; the next commit meets the same want of space, and says so.
        }
    }

    [LoggerMessage(4001, LogLevel.Critical, "The log cannot be written: nothing is confirmed any more, and the broker stops")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(4002, LogLevel.Error, "There is no space for the next log file: confirms wait until there is ({Error})")]
    private partial void LogFull(string error);
}
