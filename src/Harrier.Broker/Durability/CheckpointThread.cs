using Harrier.Broker.Flow;
using Harrier.Storage.Disk;
using Microsoft.Extensions.Logging;

namespace Harrier.Broker.Durability;

/// <summary>The thread that makes checkpoints when there is a reason.</summary>
internal sealed partial class CheckpointThread : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // Without any other reason, so that a quiet broker starts as fast as a busy one.
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(1);

    private readonly BrokerStorage _storage;
    private readonly DiskWatermark _space;
    private readonly TimeProvider _time;
    private readonly Action<Exception> _onFailure;
    private readonly ILogger _log;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private volatile bool _isStopping;
    private long _lastTime;
    private long _lastTicket;

    public CheckpointThread(BrokerStorage storage, DiskWatermark space, TimeProvider time, Action<Exception> onFailure, ILogger log)
    {
        _storage = storage;
        _space = space;
        _time = time;
        _onFailure = onFailure;
        _log = log;
        _lastTime = time.GetTimestamp();
        storage.OnPressure = () => _wake.Set();
        _thread = new Thread(Run) { Name = "checkpoints", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Makes a last checkpoint, so that the next start has nothing to read, and ends.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _wake.Set();
        _thread.Join();
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                _wake.WaitOne(Interval);
                if (_isStopping) break;
                if (IsDue) TryCheckpoint();
                _storage.Prepare();
            }
            TryCheckpoint();
        }
        catch (Exception e)
        {
            LogFailed(e);
            _onFailure(e);
        }
    }

    private bool IsDue => _storage.IsCheckpointDue || (_space.IsLow && _storage.HasSpaceToGain) || (_time.GetElapsedTime(_lastTime) > TimeMax && _storage.Log.Appended != _lastTicket);

    private void TryCheckpoint()
    {
        try
        {
            long ticket = _storage.Log.Appended;
            _storage.Checkpoint();
            (_lastTime, _lastTicket) = (_time.GetTimestamp(), ticket);
        }
        catch (DiskFullException e)
        {
            LogFull(e.Message);
            if (!_isStopping) _wake.WaitOne(RetryTime);
        }
    }

    [LoggerMessage(5003, LogLevel.Critical, "A checkpoint failed: the disk cannot be trusted, and the broker stops")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(5004, LogLevel.Error, "There is no space for a checkpoint: it will be tried again ({Error})")]
    private partial void LogFull(string error);
}
