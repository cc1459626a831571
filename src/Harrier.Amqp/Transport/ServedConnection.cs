using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Harrier.Broker;
using Harrier.Broker.Sessions;
using Microsoft.Extensions.Logging;

namespace Harrier.Amqp.Transport;

/// <summary>How far a connection has come.</summary>
internal enum ConnectionStage
{
    Handshake,
    Open,

    /// <summary>A close was sent; only its answer counts.</summary>
    Closing,
    Closed,
}

/// <summary>
/// The server's side of one connection, whatever its protocol: reads, has the frames applied, flushes once per batch, and waits for what has to be waited for.
/// Owned by one task; ends when the peer closes, breaks the protocol or falls silent. Others may write to its output and ask it to shut down.
/// </summary>
internal abstract class ServedConnection : IFrameHandler, IFlowNotices
{
    private readonly PipeReader _input;
    private readonly EndPoint? _from;
    private readonly ConsumerPace _consumers;
    private volatile bool _shutdownRequested;

    protected ServedConnection(IDuplexPipe transport, EndPoint? from, AmqpServer server)
    {
        _input = transport.Input;
        _from = from;
        _consumers = new ConsumerPace(server.Time);
        Clock = new TurnClock(server.Time);
        Log = server.Log;
        Broker = server.Broker;
        Limits = server.Limits;
        Output = new FrameOutput(transport.Output, server.Scheduler);
        Heartbeat = new HeartbeatMonitor(server.Time, server.Limits);
        Posted = new PostedWork(_input);
        Pauses = new ReadPauses(Output, Broker, Heartbeat, server.Time, this, Posted);
    }

    public MessageBroker Broker { get; }

    public ConnectionLimits Limits { get; }

    public FrameOutput Output { get; }

    /// <summary>When what is being read has come.</summary>
    public TurnClock Clock { get; }

    /// <summary>What the reading waits for.</summary>
    public ReadPauses Pauses { get; }

    /// <summary>What others want done.</summary>
    public PostedWork Posted { get; }

    /// <summary>Whether there are as many connections as may be already; the client learns it when it opens this one (behaviour note 11).</summary>
    public bool IsBeyondLimit { get; init; }

    /// <inheritdoc/>
    public bool IsStopped => Stage == ConnectionStage.Closed || HasToFlush || Pauses.IsSuspended;

    protected ConnectionStage Stage { get; set; }

    protected HeartbeatMonitor Heartbeat { get; }

    protected ILogger Log { get; }

    /// <summary>The session, once there is one.</summary>
    protected abstract ClientSession? OpenSession { get; }

    /// <summary>Whether answers wait for the disk. May be a moment old.</summary>
    protected abstract bool IsAwaitingSync { get; }

    /// <summary>What the client calls itself, or nothing.</summary>
    protected abstract string ClientName { get; }

    /// <summary>The connection in logs.</summary>
    protected string Name => ClientName.Length > 0 ? $"{_from} ({ClientName})" : $"{_from}";

    private bool HasPublished { get; set; }

    // Only an open connection causes answers; one that is closing must get to the end of what the peer sends.
    private bool HasToFlush => Stage == ConnectionStage.Open && Output.IsOverfull;

    /// <summary>Serves the connection until it ends. Never throws for anything the peer did.</summary>
    public async Task RunAsync()
    {
        Start();
        Output.Flush();
        try
        {
            await ReadAsync();
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The transport is gone, or what was awaited has been given up: the same as the peer's leaving.
        }
        finally
        {
            EndSession();
            await Output.WhenFlushedAsync().WaitAsync(TimeSpan.FromMilliseconds(Limits.CloseTimeoutMs), Clock.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Output.Close();
        }
    }

    /// <summary>Asks for a close because the server ends. From any thread.</summary>
    public void RequestShutdown()
    {
        _shutdownRequested = true;
        Interrupt();
    }

    /// <summary>Heartbeats and deadlines; called twice a second or so, from the clock's thread.</summary>
    public void OnBeat()
    {
        if (Output.IsClosed)
        {
            Interrupt(); // the peer is gone; a publisher that is held back would not notice by itself
            return;
        }
        if (Heartbeat.IsDue(Output.FlushCount))
        {
            WriteHeartbeat();
            Output.Flush();
        }
        if (!Heartbeat.IsOverdue) return;
        Log.SilentPeer(Name, Heartbeat.Deadline);
        if (Stage == ConnectionStage.Open) WriteFarewell();
        Output.Flush();
        Output.Close();
        Interrupt();
    }

    /// <summary>A message has come in: what holds publishers back applies to this connection (behaviour note 21).</summary>
    public void OnPublished() => HasPublished = true;

    /// <summary>The peer's publications are held back.</summary>
    public virtual void OnHeldBack()
    {
    }

    /// <summary>They are not any more.</summary>
    public virtual void OnLetGo()
    {
    }

    /// <summary>Does what others have posted, in the middle of a pause.</summary>
    public void OnPosted()
    {
        ReadOnlySequence<byte> nothing = ReadOnlySequence<byte>.Empty;
        ApplyAll(ref nothing, first: null);
        Output.Flush();
    }

    /// <inheritdoc/>
    public abstract bool TryApply(ref ReadOnlySpan<byte> bytes);

    /// <inheritdoc/>
    public abstract int CompleteSize(in ReadOnlySequence<byte> bytes);

    /// <summary>Writes what the server says first.</summary>
    protected abstract void Start();

    /// <summary>Does first what it is given, then applies every complete frame, synchronously, and answers once. Whatever the peer did wrong is answered here.</summary>
    protected abstract void ApplyAll(ref ReadOnlySequence<byte> buffer, Action? first);

    /// <summary>Says that the server ends.</summary>
    protected abstract void CloseForShutdown();

    /// <summary>Ends what is the connection's own. Safe to call again.</summary>
    protected abstract void EndSession();

    /// <summary>Writes the reason for which a silent peer is dropped, in protocols that have a place for it.</summary>
    protected virtual void WriteFarewell()
    {
    }

    /// <summary>Writes a sign of life.</summary>
    protected abstract void WriteHeartbeat();

    /// <summary>Ends whatever the reading task waits for.</summary>
    private void Interrupt()
    {
        Pauses.Interrupt();
        _input.CancelPendingRead();
    }

    private async Task ReadAsync()
    {
        while (Stage != ConnectionStage.Closed)
        {
            ReadResult read = await _input.ReadAsync();
            Heartbeat.OnRead();
            ReadOnlySequence<byte> buffer = read.Buffer;
            ApplyAll(ref buffer, first: null);
            bool hasToFlush = HasToFlush, hasMore = hasToFlush || Pauses.IsSuspended || FrameDispatcher.HasWhole(buffer, this);
            _input.AdvanceTo(buffer.Start, hasMore ? buffer.Start : buffer.End); // what was left is looked at again after the wait
            if (Output.IsClosed || (read.IsCompleted && !hasMore))
            {
                if (Output.Failure is { } failure) Log.InvariantBroken(Name, failure);
                else if (Stage == ConnectionStage.Open) Log.ClosedAbruptly(Name);
                return;
            }
            if (_shutdownRequested && Stage is ConnectionStage.Open or ConnectionStage.Handshake) CloseForShutdown();
            Output.Flush();
            // Acknowledgements come on this very stream, so it waits for the peer's reading only when answers have piled up sky-high.
            if (hasToFlush) await Pauses.FlushAnswersAsync();
            while (Pauses.IsSuspended) await ResumeAsync();
            if (HasPublished && Stage == ConnectionStage.Open)
            {
                HasPublished = false;
                await Pauses.HoldBackAsync();
            }
            // Who waits for confirms from the disk is slow enough as it is.
            if (OpenSession is { } session && !IsAwaitingSync) await _consumers.LetCatchUpAsync(session.Commands);
        }
    }

    /// <summary>Goes on with what had to wait.</summary>
    private async Task ResumeAsync()
    {
        if (await Pauses.ResumeAsync() is not { } then || Stage != ConnectionStage.Open) return;
        ReadOnlySequence<byte> nothing = ReadOnlySequence<byte>.Empty;
        ApplyAll(ref nothing, then);
        Output.Flush();
    }
}
