using System.Globalization;
using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>
/// A client of 1.0 that breaks no rule, knows which of its messages have to be in the queue, and fails when the server says anything that it should not.
/// Every step ends when the server has answered it.
/// </summary>
internal sealed class ModelClient10(TestServer server)
{
    public const string Queue = "kept";

    private const uint ToQueue = 0, FromQueue = 1, ToCoordinator = 2;
    private const ushort Own = 1, Hostile = 2;

    private readonly HashSet<int> _kept = [];
    private readonly Dictionary<uint, Action<WireState>> _asked = []; // by delivery id: what an answer means
    private readonly SortedDictionary<uint, int> _unsettled = []; // what was received, by delivery id
    private readonly List<ModelTransaction10> _transactions = [];
    private readonly List<byte> _incoming = [];
    private WireScript10 _client = null!;
    private uint? _incomingId;
    private uint _deliveryCount;
    private uint _creditLimit;
    private Behaviour _behaviour;
    private int _last;

    /// <summary>The numbers of the messages that have to be in the queue when nobody has any of them.</summary>
    public IReadOnlySet<int> Kept => _kept;

    /// <summary>What was done and what the server has said, as a number.</summary>
    public long Behaviour => _behaviour.Value;

    public int OpenTransactions => _transactions.Count;

    public int UnsettledCount => _unsettled.Count;

    public async Task ConnectAsync()
    {
        _client = await server.Open10();
        await _client.Begin(Hostile);
        await AttachAllAsync();
    }

    /// <summary>Publishes a message in pieces of so many bytes, in a transaction or without one.</summary>
    public async Task PublishAsync(bool settled, int pieceBytes, int? transaction = null)
    {
        int number = _last++;
        ModelTransaction10? within = transaction is { } index ? _transactions[index] : null;
        byte[]? state = within is null ? null : States10.In(within.Id);
        byte[] message = Message10.Of(number.ToString(CultureInfo.InvariantCulture));
        uint id = _client.NextDeliveryId();
        var frames = new Frames10();
        for (int at = 0; at < message.Length; at += pieceBytes)
        {
            ReadOnlySpan<byte> piece = message.AsSpan(at, Math.Min(pieceBytes, message.Length - at));
            bool isLast = at + piece.Length == message.Length;
            frames.Add(at == 0
                ? new Transfer { Handle = ToQueue, DeliveryId = id, DeliveryTag = Frames10.Tag(id), Settled = settled, State = state, More = !isLast }
                : new Transfer { Handle = ToQueue, More = !isLast }, Own, piece);
        }
        ICollection<int> place = within is null ? _kept : within.Posted;
        place.Add(number); // it may be delivered before it is answered
        if (!settled) _asked.Add(id, answer => answer.Name.ShouldBe(within is null ? "accepted" : "transactional-state"));
        await _client.Send(frames);
        await SyncAsync();
    }

    /// <summary>Takes note of a step.</summary>
    public void Note(int step) => _behaviour.Add(step);

    /// <summary>Begins to publish a message and gives it up.</summary>
    public async Task AbortAsync()
    {
        uint id = _client.NextDeliveryId();
        await _client.Send(new Frames10()
            .Add(new Transfer { Handle = ToQueue, DeliveryId = id, DeliveryTag = Frames10.Tag(id), More = true }, Own, Message10.Of("aborted"))
            .Add(new Transfer { Handle = ToQueue, Aborted = true }, Own));
        await SyncAsync();
    }

    public async Task GrantAsync(uint credit, bool drain)
    {
        uint limit = _deliveryCount + credit;
        if (limit > _creditLimit) _creditLimit = limit; // what was granted before may be on its way, so that less is no bound
        await _client.Grant(credit, FromQueue, drain);
        await SyncAsync();
    }

    /// <summary>Answers the oldest deliveries.</summary>
    public async Task SettleAsync(int count, byte[] state, bool comesBack, bool settled)
    {
        uint[] ids = [.. _unsettled.Keys.Take(count)];
        foreach (uint id in ids)
        {
            int number = Take(id);
            if (!comesBack) _kept.Remove(number);
        }
        await _client.Settle(ids[0], state, ids[^1], settled);
        await SyncAsync();
    }

    /// <summary>Accepts the oldest delivery in a transaction.</summary>
    public async Task SettleInAsync(int transaction, bool settled)
    {
        ModelTransaction10 within = _transactions[transaction];
        uint id = _unsettled.Keys.First();
        within.Accepted.Add((id, Take(id), settled));
        await _client.Settle(id, States10.In(within.Id, States10.Accepted), settled: settled);
        await SyncAsync();
    }

    public Task DeclareAsync() => CoordinateAsync(Encoded10.Composite(new Declare()), answer =>
    {
        if (answer.Name == "declared") _transactions.Add(new ModelTransaction10(answer.TransactionId!));
        else answer.Error!.Condition.ShouldBe("amqp:resource-limit-exceeded");
    });

    public Task DischargeAsync(int transaction, bool fail)
    {
        ModelTransaction10 within = _transactions[transaction];
        _transactions.RemoveAt(transaction);
        if (fail) RollBack(within);
        else Commit(within);
        byte[] id = Encoded10.Binary(Convert.FromHexString(within.Id));
        return CoordinateAsync(Encoded10.Composite(new Discharge { TxnId = id, Fail = fail }), answer => answer.Name.ShouldBe("accepted"));
    }

    /// <summary>Detaches a link and attaches it again.</summary>
    public async Task ReattachAsync(bool receiver, bool closed)
    {
        await _client.Send(new Detach { Handle = receiver ? FromQueue : ToQueue, Closed = closed }, Own);
        if (receiver)
        {
            foreach (ModelTransaction10 transaction in _transactions) transaction.IsReceiverGone = true;
            await _client.Send(Links10.Receiver(FromQueue, "/queues/" + Queue), Own);
        }
        else await _client.Send(Links10.Sender(ToQueue, "/queues/" + Queue), Own);
        await SyncAsync();
    }

    /// <summary>Ends the session, or the connection, or is gone without a word; and begins again.</summary>
    public async Task StartOverAsync(int how)
    {
        _transactions.Clear(); // whatever they have goes back
        if (how == 0)
        {
            await _client.Send(new End(), Own);
            await SkipToAsync<WireEnd>(Own);
            GiveBackAll();
            await _client.Begin(Own);
            await AttachAllAsync();
            return;
        }
        await LeaveAsync(isOrderly: how == 1);
        await ConnectAsync();
    }

    /// <summary>Ends, one way or another.</summary>
    public async Task LeaveAsync(bool isOrderly)
    {
        if (isOrderly)
        {
            await _client.Send(new Close(), 0);
            await SkipToAsync<WireClose>(0);
            await _client.ExpectEndOfStream();
        }
        else _client.Leave();
        await _client.Served.WaitAsync(TestServer.SafetyNet);
        GiveBackAll();
    }

    public async Task SetWindowAsync(uint window)
    {
        _client.IncomingWindow = window;
        await SyncAsync();
    }

    /// <summary>Says something in another session. When that costs the connection, it begins again.</summary>
    public async Task SayHostileAsync(byte[] frame)
    {
        (frame[6], frame[7]) = (0, (byte)Hostile);
        await _client.SendBytes(frame);
        if (await TrySyncAsync()) return;
        await StartOverAsync(2);
    }

    // When a window opens, deliveries come from other threads: some may be on their way.
    private async Task SkipToAsync<T>(ushort channel)
    {
        WireFrame10? frame;
        do frame = await _client.Receive();
        while (frame is not null && !(frame.Performative is T && frame.Channel == channel));
        frame.ShouldNotBeNull($"expected {typeof(T).Name}");
    }

    private async Task AttachAllAsync()
    {
        _asked.Clear();
        await _client.Send(new Frames10()
            .Add(Links10.Sender(ToQueue, "/queues/" + Queue), Own)
            .Add(Links10.Receiver(FromQueue, "/queues/" + Queue), Own)
            .Add(Links10.ToCoordinator(ToCoordinator), Own));
        await SyncAsync();
    }

    private async Task CoordinateAsync(byte[] request, Action<WireState> answered)
    {
        uint id = _client.NextDeliveryId();
        _asked.Add(id, answered);
        await _client.Send(new Frames10().Message(id, new Message10().Value(request).Bytes, handle: ToCoordinator, channel: Own));
        await SyncAsync();
    }

    private async Task SyncAsync() => (await TrySyncAsync()).ShouldBeTrue("a connection that does nothing wrong lives");

    /// <summary>Takes in all that the server has to say; false when that is that the connection is over.</summary>
    private async Task<bool> TrySyncAsync()
    {
        await _client.SendFlow(echo: true, channel: Own);
        bool hasBegun = false;
        while (true)
        {
            WireFrame10? frame = await _client.Receive();
            if (frame is null or { Performative: WireClose }) return false;
            if (frame.Channel == Hostile)
            {
                if (frame.Performative is not WireEnd end) continue;
                await BeginHostileAsync(isEndDue: end.Error is not null);
                hasBegun = true;
                continue;
            }
            if (frame is { Performative: WireFlow { Handle: null }, Channel: Own }) break;
            OnFrame(frame.Performative);
        }
        _asked.ShouldBeEmpty("everything is answered at once");
        return !hasBegun || await TrySyncAsync();
    }

    private Task BeginHostileAsync(bool isEndDue)
    {
        var frames = new Frames10();
        if (isEndDue) frames.Add(new End(), Hostile);
        return _client.Send(frames.Add(new Begin { IncomingWindow = 10, OutgoingWindow = 10 }, Hostile));
    }

    private void OnFrame(object performative)
    {
        _behaviour.AddKind(performative.GetType().Name);
        switch (performative)
        {
            case WireTransfer transfer: OnTransfer(transfer); break;
            case WireDisposition { Role: Role.Receiver } disposition: OnDisposition(disposition); break;
            case WireFlow { Handle: FromQueue } flow:
                _deliveryCount = flow.DeliveryCount!.Value;
                _deliveryCount.ShouldBeLessThanOrEqualTo(_creditLimit);
                break;
            case WireDetach { Handle: FromQueue, Error: null }: GiveBackAll(); break;
            case WireAttach or WireFlow or WireDisposition or WireDetach { Error: null }: break;
            default: throw new WireScriptException($"The server said {performative}.");
        }
    }

    private void OnTransfer(WireTransfer transfer)
    {
        _incomingId ??= transfer.DeliveryId;
        _incoming.AddRange(transfer.Payload);
        if (transfer.More) return;
        uint id = _incomingId!.Value;
        int number = int.Parse(new WireDelivery10(FromQueue, id, [], false, [.. _incoming], []).Read().Text, CultureInfo.InvariantCulture);
        _kept.ShouldContain(number, "only what is in the queue is delivered");
        _unsettled.Values.ShouldNotContain(number, "nothing is delivered twice at once");
        (++_deliveryCount).ShouldBeLessThanOrEqualTo(_creditLimit, "no more is delivered than was granted");
        _unsettled.Add(id, number);
        _incoming.Clear();
        _incomingId = null;
    }

    private void OnDisposition(WireDisposition disposition)
    {
        disposition.Settled.ShouldBeTrue();
        for (uint id = disposition.First; id != (disposition.Last ?? disposition.First) + 1; id++)
        {
            _asked.Remove(id, out Action<WireState>? answered).ShouldBeTrue($"nobody has asked about {id}");
            _behaviour.AddKind(disposition.State!.Name);
            answered!(disposition.State);
        }
    }

    private int Take(uint id)
    {
        _unsettled.Remove(id, out int number).ShouldBeTrue();
        return number;
    }

    private void GiveBackAll()
    {
        _unsettled.Clear();
        _incoming.Clear();
        _incomingId = null;
        (_deliveryCount, _creditLimit) = (0, 0);
    }

    private void Commit(ModelTransaction10 transaction)
    {
        _kept.UnionWith(transaction.Posted);
        _kept.ExceptWith(transaction.Accepted.Select(a => a.Number));
    }

    // What the receiver has not settled is its own again; the rest goes back to the queue (1.0 part 4, section 4.4.2).
    private void RollBack(ModelTransaction10 transaction)
    {
        if (transaction.IsReceiverGone) return;
        foreach ((uint id, int number, bool isSettled) in transaction.Accepted)
            if (!isSettled) _unsettled.Add(id, number);
    }
}

/// <summary>A transaction as its client sees it.</summary>
internal sealed class ModelTransaction10(string id)
{
    public string Id { get; } = id;

    public List<int> Posted { get; } = [];

    public List<(uint Id, int Number, bool IsSettled)> Accepted { get; } = [];

    /// <summary>Whether the link was detached on which the accepted deliveries came.</summary>
    public bool IsReceiverGone { get; set; }
}
