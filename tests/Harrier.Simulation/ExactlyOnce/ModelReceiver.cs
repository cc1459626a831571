using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>
/// Processes what it receives, and keeps the tag of each delivery, with its outcome, until it knows that the broker has settled it (1.0 part 2, sections 2.6.12
/// and 2.6.13).
/// </summary>
internal sealed class ModelReceiver(TroubledBroker broker, TroublePlan plan, ModelSender sender) : ModelClient(broker, plan)
{
    // On its disk, in one transaction: what was done, and the tags of deliveries, with their outcomes.
    private readonly List<uint> _processed = [];
    private readonly SortedDictionary<string, byte[]?> _inbox = [];

    private readonly Dictionary<uint, uint> _failures = []; // by the numbers of messages

    private readonly Dictionary<uint, string> _unsettled = [];
    private readonly List<byte> _payload = [];
    private WireTransfer? _first;

    /// <summary>The numbers of the messages that it has processed.</summary>
    public IReadOnlyList<uint> Processed => _processed;

    /// <summary>Whether something is to be done, or must be coming.</summary>
    public bool HasWork => !IsConnected || (!IsDone && (_inbox.Count > 0 || _processed.Count < sender.SettledCount || _processed.Count >= Plan.MessageCount));

    protected override string Name => "receiver";

    public override async Task StepAsync()
    {
        if (!IsConnected)
        {
            await ConnectAsync();
            await AttachAsync();
            await GrantAsync();
        }
        else if (_inbox.Count > 0 || _processed.Count < Plan.MessageCount) await HandleAsync(await ReceiveAsync());
        else await SuspendAsync();
    }

    protected override async Task AttachAsync()
    {
        byte[] source = Encoded10.Composite(new Source
        {
            Address = Encoded10.String($"/queues/{TroubledBroker.QueueName}"), Durable = Plan.Durability, ExpiryPolicy = "never"u8,
        });
        byte[] map = ModelSender.UnsettledOf(_inbox.Select(d => (Convert.FromHexString(d.Key), d.Value)));
        Attach attach = Links10.Receiver(0, source) with { Name = "inbox"u8, RcvSettleMode = Plan.ReceiverMode, Unsettled = map };
        Task sent = SendAsync(new Frames10().Add(in attach));
        await sent;
        WireAttach answer = await ReceiveAsync<WireAttach>();
        answer.IncompleteUnsettled.ShouldBeFalse();
        Dictionary<string, WireState?> known = answer.Unsettled ?? [];
        known.Keys.ShouldBeSubsetOf(_inbox.Where(d => d.Value is null).Select(d => d.Key));
        foreach (string tag in _inbox.Keys.Where(tag => !known.ContainsKey(tag)).ToArray()) _inbox.Remove(tag); // settled
    }

    protected override void Forget()
    {
        _unsettled.Clear();
        _payload.Clear();
        _first = null;
    }

    private async Task GrantAsync()
    {
        Broker.Point();
        await Broker.Until(Wire.SendFlow(0, (uint)Plan.Window));
        Broker.Point();
    }

    private async Task HandleAsync(object performative)
    {
        if (performative is WireTransfer transfer) await TakeAsync(transfer);
        else OnSettled(performative.ShouldBeOfType<WireDisposition>());
        Broker.Point();
    }

    private void OnSettled(WireDisposition disposition)
    {
        (disposition.Role, disposition.Settled).ShouldBe((Role.Sender, true));
        for (uint id = disposition.First; id <= (disposition.Last ?? disposition.First); id++)
            if (_unsettled.Remove(id, out string? tag)) _inbox.Remove(tag);
    }

    private async Task TakeAsync(WireTransfer transfer)
    {
        _first ??= transfer;
        _payload.AddRange(transfer.Payload);
        if (transfer.More) return;
        string tag = Convert.ToHexString(_first.DeliveryTag);
        uint id = _first.DeliveryId!.Value;
        _inbox.ContainsKey(tag).ShouldBe(_first.Resume, $"{tag} is resumed only when it is known");
        uint number = ModelSender.NumberOf([.. _payload]);
        uint failures = new WireDelivery10(0, 0, [], false, [.. _payload], []).Read().DeliveryCount ?? 0;
        failures.ShouldBe(_failures.GetValueOrDefault(number), $"each failure of {number} counts once");
        _first = null;
        _payload.Clear();
        bool takesNote = !Plan.IsRandom || Broker.Random.Next(2) == 0;
        if (takesNote)
        {
            _inbox[tag] = null;
            Broker.Point();
        }
        byte[] outcome = Decide();
        if (outcome == States10.Accepted) _processed.Add(number);
        else if (outcome != States10.Released) _failures[number] = failures + 1;
        if (Plan.RecordsLate) Broker.Point();
        if (Plan.ReceiverMode == ReceiverSettleMode.First) _inbox.Remove(tag);
        else
        {
            _inbox[tag] = outcome;
            _unsettled.Add(id, tag);
        }
        Broker.Point();
        await SendAsync(new Frames10().Add(new Disposition
        {
            Role = Role.Receiver, First = id, Settled = Plan.ReceiverMode == ReceiverSettleMode.First, State = outcome,
        }));
        await GrantAsync();
    }

    // Now and then it does not want a message yet, or fails.
    private byte[] Decide() => !Plan.IsRandom ? States10.Accepted : Broker.Random.Next(12) switch
    {
        0 => States10.Released,
        1 => States10.Modified(deliveryFailed: true),
        _ => States10.Accepted,
    };
}
