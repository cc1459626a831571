using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>A client with one link. What derived types keep over a loss is what an application would have on its disk.</summary>
internal abstract class ModelClient(TroubledBroker broker, TroublePlan plan)
{
    protected const uint FrameBytesMax = 512;

    private WireScript10? _wire;

    public bool IsConnected => _wire is not null;

    /// <summary>Whether everything is done, and the link suspended in good order.</summary>
    public bool IsDone { get; private set; }

    protected TroubledBroker Broker => broker;

    protected TroublePlan Plan => plan;

    protected WireScript10 Wire => _wire!;

    protected abstract string Name { get; }

    /// <summary>Does the next thing that is to be done.</summary>
    public abstract Task StepAsync();

    /// <summary>The connection is gone, with everything that is not kept.</summary>
    public void Lose()
    {
        IsDone = false;
        broker.Note(Name, "is lost", "");
        if (_wire is { } wire && !broker.IsHalfOpen()) wire.Leave();
        _wire = null;
        Forget();
    }

    /// <summary>Attaches once more and ends the link for good.</summary>
    public async Task CloseAsync()
    {
        if (!IsConnected) await ConnectAsync();
        await AttachAsync();
        await DetachAsync(isClosed: true);
    }

    /// <summary>Connects, and sets up what has to be there besides the link.</summary>
    protected virtual async Task ConnectAsync()
    {
        WireScript10 wire = broker.Connect();
        await broker.Until(wire.SendBytes(WireScript10.ProtocolHeader));
        await broker.Until(wire.ExpectHeader(WireScript10.ProtocolHeader));
        await broker.Until(wire.SendOpen(new OpenOptions10 { ContainerId = Name, MaxFrameSize = FrameBytesMax }));
        await broker.Until(wire.Expect<WireOpen>(0));
        await broker.Until(wire.Begin());
        _wire = wire;
    }

    /// <summary>Attaches the link, and compares what both ends know.</summary>
    protected abstract Task AttachAsync();

    /// <summary>Forgets what only memory holds.</summary>
    protected abstract void Forget();

    /// <summary>Says that all is done, and comes back no more unless the connection is lost.</summary>
    protected async Task SuspendAsync()
    {
        await DetachAsync(isClosed: false);
        IsDone = true;
    }

    protected async Task SendAsync(Frames10 frames)
    {
        if (TroubledBroker.TraceFile is not null) broker.Note(Name, "sends", WireScript10.Describe(frames));
        broker.Point();
        await broker.Until(Wire.Send(frames));
        broker.Point();
    }

    /// <summary>The next frame that is not just a flow.</summary>
    protected async Task<object> ReceiveAsync()
    {
        while (true)
        {
            WireFrame10 frame = await broker.Until(Wire.Receive()) ?? throw new WireScriptException($"The broker has left {Name}.");
            broker.Note(Name, "gets", frame.Performative);
            broker.Point();
            if (frame.Performative is not WireFlow) return frame.Performative;
        }
    }

    protected async Task<T> ReceiveAsync<T>() where T : class =>
        await ReceiveAsync() is T performative ? performative : throw new WireScriptException($"{Name} expected {typeof(T).Name}.");

    private async Task DetachAsync(bool isClosed)
    {
        await SendAsync(new Frames10().Add(new Detach { Handle = 0, Closed = isClosed }));
        WireDetach detach = await ReceiveAsync<WireDetach>();
        if (detach.Error is not null) throw new WireScriptException($"{Name} expected to be detached, but got {detach}.");
    }
}
