using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>Sends what is in its outbox in transactions of several messages: the broker has all of one or none, and says so when the link comes back.</summary>
internal sealed class TransactionalSender(TroubledBroker broker, TroublePlan plan) : ModelSender(broker, plan)
{
    private const uint CoordinatorHandle = 1;

    private readonly Queue<uint> _toPost = new();
    private readonly Dictionary<uint, uint> _posted = [];
    private string? _transaction;

    public override async Task StepAsync()
    {
        if (!IsConnected) await base.StepAsync();
        else if (UnderWay.Count > 0) await SettleAsync(await ReceiveAsync<WireDisposition>()); // what was committed and is resumed
        else if (_toPost.Count > 0) await PostAsync(_toPost.Dequeue());
        else if (_transaction is not null) await DischargeAsync();
        else if (ToSend.Count > 0) await DeclareAsync();
        else await SuspendAsync();
    }

    protected override async Task ConnectAsync()
    {
        await base.ConnectAsync();
        Attach attach = Links10.ToCoordinator(CoordinatorHandle) with { Name = "transactions"u8 };
        Task sent = SendAsync(new Frames10().Add(in attach));
        await sent;
        await ReceiveAsync<WireAttach>();
    }

    protected override async Task AttachAsync()
    {
        ILookup<uint, uint> outbox = Outbox.ToLookup(GroupOf);
        await base.AttachAsync();
        foreach (IGrouping<uint, uint> group in outbox)
            ToSend.Count(tag => GroupOf(tag) == group.Key).ShouldBeOneOf(0, group.Count()); // all of a transaction was received, or nothing
    }

    protected override void Forget()
    {
        base.Forget();
        _toPost.Clear();
        _posted.Clear();
        _transaction = null;
    }

    private uint GroupOf(uint tag) => tag / (uint)Plan.TransactionSize;

    private async Task DeclareAsync()
    {
        uint group = GroupOf(ToSend.Peek());
        while (ToSend.TryPeek(out uint tag) && GroupOf(tag) == group) _toPost.Enqueue(ToSend.Dequeue());
        await RequestAsync(Encoded10.Composite(new Declare()));
        WireDisposition answer = await ReceiveAsync<WireDisposition>();
        answer.State!.Name.ShouldBe("declared");
        _transaction = answer.State.TransactionId;
    }

    private async Task PostAsync(uint tag)
    {
        uint id = await SendAsync(tag, States10.In(_transaction!));
        _posted.Add(id, tag);
        if (Plan.SettlesEarly) await SettlePostedAsync();
    }

    private async Task DischargeAsync()
    {
        bool fails = Plan.IsRandom && Broker.Random.Next(6) == 0;
        uint id = await RequestAsync(Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(_transaction!)), Fail = fails }));
        for (bool isOver = false; !isOver;)
        {
            WireDisposition answer = await ReceiveAsync<WireDisposition>();
            isOver = answer.First == id;
            if (isOver) answer.State!.Name.ShouldBe("accepted");
            else (answer.State!.TransactionId, answer.State.Outcome?.Name).ShouldBe((_transaction, "accepted"));
        }
        _transaction = null;
        if (fails)
            foreach (uint tag in _posted.Values) ToSend.Enqueue(tag);
        else
            foreach (uint tag in _posted.Values) Remove(tag); // before it settles: the broker will know nothing of them from then on
        if (!Plan.SettlesEarly) await SettlePostedAsync();
        _posted.Clear();
    }

    private Task SettlePostedAsync() => SendAsync(new Frames10().Add(new Disposition
    {
        Role = Role.Sender, First = _posted.Keys.Min(), Last = _posted.Keys.Max(), Settled = true, State = States10.Accepted,
    }));

    private async Task<uint> RequestAsync(byte[] request)
    {
        uint id = Wire.NextDeliveryId();
        var transfer = new Transfer { Handle = CoordinatorHandle, DeliveryId = id, DeliveryTag = Frames10.Tag(id) };
        Task sent = SendAsync(new Frames10().Add(in transfer, payload: new Message10().Value(request).Bytes));
        await sent;
        return id;
    }
}
