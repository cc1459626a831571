using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.Transport;

/// <summary>Waits for room in an output.</summary>
internal interface IRoomWaiter
{
    /// <summary>There is room again. Called on a thread of its own, which holds no lock.</summary>
    void OnRoom();
}

/// <summary>
/// The bytes on their way to one peer. Any thread writes, under <see cref="Gate"/>; writing never waits. Flushing is asked for once per batch and runs on
/// its own when the peer is slow; meanwhile <see cref="HasRoom"/> turns false, and whoever can wait does. Lives as long as its connection.
/// </summary>
internal sealed class FrameOutput
{
    /// <summary>Bytes beyond what the pipe takes after which deliveries stop.</summary>
    public const int RoomBytes = 1 << 20;

    /// <summary>Bytes of answers after which the peer's own frames are no longer read: it asks and asks and never reads.</summary>
    public const int AnswerBytesMax = 4 << 20;

    private readonly PipeWriter _pipe;
    private readonly PipeScheduler _scheduler;
    private readonly Action _onFlushCompleted;

    // A block of the pipe that is being filled; advancing once per block is cheaper than once per frame.
    private Memory<byte> _block;
    private int _blockUsed;
    private long _unflushed;
    private long _unflushedDeliveries;
    private bool _isFlushing;

    // The flush that the pipe holds back, and what it covers. Kept here and not in an async method, which would allocate for every one.
    private ValueTaskAwaiter<FlushResult> _pendingFlush;
    private Flushed _pending;
    private volatile bool _isClosed;
    private List<IRoomWaiter> _waiters = [];
    private TaskCompletionSource? _allFlushed;
    private TaskCompletionSource? _answersFlushed;

    public FrameOutput(PipeWriter pipe, PipeScheduler scheduler)
    {
        _pipe = pipe;
        _scheduler = scheduler;
        _onFlushCompleted = OnFlushCompleted;
    }

    /// <summary>Guards everything that is written, and what must be in the order of what is written.</summary>
    public Lock Gate { get; } = new();

    /// <summary>False while the peer does not read, and once it is gone.</summary>
    public bool HasRoom => Volatile.Read(ref _unflushed) < RoomBytes && !_isClosed;

    /// <summary>Whether the peer is gone, so that whatever is written is dropped.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Whether unread answers have piled up so high that no more should be caused.</summary>
    public bool IsOverfull => Volatile.Read(ref _unflushed) - Volatile.Read(ref _unflushedDeliveries) > AnswerBytesMax && !_isClosed;

    /// <summary>Bytes that were written and not flushed.</summary>
    public long UnflushedBytes => Volatile.Read(ref _unflushed);

    /// <summary>What a write has died of, or null: a fault of ours, which costs this connection and no other.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Counts flushes that reached the transport, for the heartbeat: a peer that was just written to needs none.</summary>
    public int FlushCount { get; private set; }

    /// <summary>Room for at least that many contiguous bytes. Under <see cref="Gate"/>.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (_block.Length - _blockUsed < size)
        {
            Commit();
            _block = _isClosed ? new byte[Math.Max(size, 4096)] : _pipe.GetMemory(size); // a pipe that may be completed by now is not touched
        }
        return _block.Span[_blockUsed..];
    }

    /// <summary>Counts bytes that were written into the last span. Under <see cref="Gate"/>.</summary>
    public void Advance(int count)
    {
        _blockUsed += count;
        Volatile.Write(ref _unflushed, _unflushed + count);
    }

    /// <summary>Says that so many of the bytes written are deliveries, which the peer did not ask for one by one. Under <see cref="Gate"/>.</summary>
    public void CountAsDeliveries(long count) => Volatile.Write(ref _unflushedDeliveries, _unflushedDeliveries + count);

    /// <summary>Writes bytes over as many blocks as it takes. Under <see cref="Gate"/>.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !_isClosed)
        {
            Span<byte> span = GetSpan(1);
            int count = Math.Min(span.Length, bytes.Length);
            bytes[..count].CopyTo(span);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes a method frame.</summary>
    public void WriteMethod<TMethod>(ushort channel, in TMethod method) where TMethod : IMethod, allows ref struct
    {
        lock (Gate) Advance(FrameWriter.WriteMethod(GetSpan(FrameWriter.SizeOf(in method)), channel, in method));
    }

    /// <summary>Writes a heartbeat frame.</summary>
    public void WriteHeartbeat()
    {
        lock (Gate) Advance(FrameWriter.WriteHeartbeat(GetSpan(Frame.Overhead)));
    }

    /// <summary>Sends what was written. Returns at once; a flush that is under way takes it along.</summary>
    public void Flush()
    {
        if (Volatile.Read(ref _unflushed) == 0) return;
        lock (Gate)
        {
            if (_isFlushing) return;
            _isFlushing = true;
        }
        FlushUntilEmpty();
    }

    /// <summary>Calls the waiter back when there is room; false when there is room already.</summary>
    public bool TryAwaitRoom(IRoomWaiter waiter)
    {
        lock (Gate)
        {
            if (HasRoom) return false;
            _waiters.Add(waiter);
            return true;
        }
    }

    /// <summary>Ends when what was written has been flushed, or the peer is gone.</summary>
    public Task WhenFlushedAsync()
    {
        Flush();
        lock (Gate)
        {
            if (_unflushed == 0 || _isClosed) return Task.CompletedTask;
            _allFlushed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _allFlushed.Task;
        }
    }

    /// <summary>Ends when it is no longer overfull, or the peer is gone.</summary>
    public Task WhenAnswersFlushedAsync()
    {
        Flush();
        lock (Gate)
        {
            if (!IsOverfull) return Task.CompletedTask;
            _answersFlushed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _answersFlushed.Task;
        }
    }

    /// <summary>Drops whatever is written from now on. The pipe itself is its owner's to complete.</summary>
    public void Close()
    {
        lock (Gate)
        {
            _isClosed = true;
            _block = default;
            _blockUsed = 0;
        }
        OnFlushed(default);
    }

    /// <summary>Closes it because a write has failed on a thread where nobody else would learn of it.</summary>
    public void Fail(Exception failure)
    {
        Failure = failure;
        Close();
    }

    private void FlushUntilEmpty()
    {
        while (true)
        {
            Flushed flushed;
            ValueTaskAwaiter<FlushResult> flush;
            lock (Gate)
            {
                if (_unflushed == 0 || _isClosed)
                {
                    _isFlushing = false;
                    return;
                }
                Commit();
                flushed = new Flushed(_unflushed, _unflushedDeliveries);
#pragma warning disable CA2012 // its result is taken exactly once, in FinishFlush
                flush = _pipe.FlushAsync().GetAwaiter();
#pragma warning restore CA2012
            }
            if (!flush.IsCompleted)
            {
                _pending = flushed;
                _pendingFlush = flush;
                _pendingFlush.UnsafeOnCompleted(_onFlushCompleted);
                return;
            }
            FinishFlush(flush, flushed);
        }
    }

    private void OnFlushCompleted()
    {
        FinishFlush(_pendingFlush, _pending);
        FlushUntilEmpty();
    }

    private void FinishFlush(ValueTaskAwaiter<FlushResult> flush, Flushed flushed)
    {
        try
        {
            if (flush.GetResult().IsCompleted) _isClosed = true;
        }
        catch (Exception)
        {
            _isClosed = true; // whatever the transport died of: the reading side reports it
        }
        OnFlushed(flushed);
    }

    private void OnFlushed(Flushed flushed)
    {
        List<IRoomWaiter>? waiters = null;
        TaskCompletionSource? allFlushed = null, answersFlushed = null;
        lock (Gate)
        {
            FlushCount++;
            Volatile.Write(ref _unflushed, _unflushed - flushed.Bytes);
            Volatile.Write(ref _unflushedDeliveries, _unflushedDeliveries - flushed.DeliveryBytes);
            if (_waiters.Count > 0 && HasRoom) (waiters, _waiters) = (_waiters, []);
            if (_unflushed == 0 || _isClosed) (allFlushed, _allFlushed) = (_allFlushed, null);
            if (!IsOverfull) (answersFlushed, _answersFlushed) = (_answersFlushed, null);
        }
        allFlushed?.SetResult();
        answersFlushed?.SetResult();
        if (waiters is null) return;
        foreach (IRoomWaiter waiter in waiters) _scheduler.Schedule(static state => ((IRoomWaiter)state!).OnRoom(), waiter);
    }

    private void Commit()
    {
        if (_blockUsed > 0 && !_isClosed) _pipe.Advance(_blockUsed);
        _block = default;
        _blockUsed = 0;
    }

    /// <summary>What a flush covers.</summary>
    private readonly record struct Flushed(long Bytes, long DeliveryBytes);
}
