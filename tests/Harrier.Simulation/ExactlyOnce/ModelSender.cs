using System.Buffers.Binary;
using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>
/// Sends what is in its outbox, and keeps a message there until it knows that the broker has it (1.0 part 2, sections 2.6.12 and 2.6.13).
/// </summary>
internal class ModelSender : ModelClient
{
    // Bytes of messages: one frame, or many.
    private static readonly int[] Sizes = [10, 1500, 400, 4000];

    // On its disk: messages by their tags, and which of them may have gone out.
    private readonly SortedDictionary<uint, byte[]> _outbox = [];
    private readonly HashSet<uint> _sent = [];


    public ModelSender(TroubledBroker broker, TroublePlan plan) : base(broker, plan)
    {
        for (uint number = 0; number < plan.MessageCount; number++) _outbox.Add(number, MessageOf(number, plan.IsPersistent));
    }

    /// <summary>What the broker has not got, in order.</summary>
    protected Queue<uint> ToSend { get; } = new();

    /// <summary>What the broker has to answer, by the ids of the deliveries.</summary>
    protected Dictionary<uint, uint> UnderWay { get; } = [];

    /// <summary>What is in the outbox.</summary>
    protected IEnumerable<uint> Outbox => _outbox.Keys;

    /// <summary>Messages that are the broker's.</summary>
    public int SettledCount => Plan.MessageCount - _outbox.Count;

    protected override string Name => "sender";

    /// <summary>A message that carries a number.</summary>
    public static uint NumberOf(byte[] payload)
    {
        var reader = new ValueReader(payload);
        while (true)
        {
            ulong section = reader.ReadDescriptor();
            if (section == Descriptors.Data) return BinaryPrimitives.ReadUInt32BigEndian(reader.ReadBinary());
            reader.ReadValue();
        }
    }

    public override async Task StepAsync()
    {
        if (!IsConnected)
        {
            await ConnectAsync();
            await AttachAsync();
        }
        else if (ToSend.Count > 0 && UnderWay.Count < Plan.Window)
        {
            uint tag = ToSend.Dequeue();
            UnderWay.Add(await SendAsync(tag), tag);
        }
        else if (UnderWay.Count > 0) await SettleAsync(await ReceiveAsync<WireDisposition>());
        else await SuspendAsync();
    }

    protected override async Task AttachAsync()
    {
        uint[] unsettled = [.. _outbox.Keys.Where(_sent.Contains)];
        byte[] target = Encoded10.Composite(new Target
        {
            Address = Encoded10.String($"/queues/{TroubledBroker.QueueName}"), Durable = Plan.Durability, ExpiryPolicy = "never"u8,
        });
        byte[] map = UnsettledOf(unsettled.Select(tag => (TagOf(tag), (byte[]?)null)));
        Attach attach = Links10.Sender(0, target) with { Name = "outbox"u8, RcvSettleMode = Plan.SenderMode, Unsettled = map };
        Task sent = SendAsync(new Frames10().Add(in attach));
        await sent;
        WireAttach answer = await ReceiveAsync<WireAttach>();
        answer.IncompleteUnsettled.ShouldBeFalse();
        Dictionary<string, WireState?> known = answer.Unsettled ?? [];
        known.Keys.ShouldBeSubsetOf(unsettled.Select(tag => Convert.ToHexString(TagOf(tag))));
        foreach (uint tag in _outbox.Keys.ToArray())
        {
            if (known.TryGetValue(Convert.ToHexString(TagOf(tag)), out WireState? state))
            {
                state!.Name.ShouldBe("accepted");
                await ResumeAsync(tag);
            }
            else ToSend.Enqueue(tag);
        }
    }

    protected override void Forget()
    {
        ToSend.Clear();
        UnderWay.Clear();
    }

    internal static byte[] UnsettledOf(IEnumerable<(byte[] Tag, byte[]? State)> deliveries) => Encoded10.Of((ref ValueWriter writer) =>
    {
        int map = writer.BeginMap(), count = 0;
        foreach ((byte[] tag, byte[]? state) in deliveries)
        {
            writer.WriteBinary(tag);
            if (state is null) writer.WriteNull();
            else writer.WriteRaw(state);
            count += 2;
        }
        writer.End(map, count);
    });

    private static byte[] TagOf(uint number) => [.. "m-"u8, .. Frames10.Tag(number)];

    private static byte[] MessageOf(uint number, bool isPersistent)
    {
        byte[] body = new byte[Sizes[number % Sizes.Length]];
        BinaryPrimitives.WriteUInt32BigEndian(body, number);
        return new Message10().Header(new MessageHeader { Durable = isPersistent }).Data(body).Bytes;
    }

    /// <summary>Sends a message of the outbox; the id of the delivery.</summary>
    protected async Task<uint> SendAsync(uint tag, byte[]? state = null)
    {
        uint id = Wire.NextDeliveryId();
        _sent.Add(tag);
        byte[] message = _outbox[tag];
        const int partBytes = (int)FrameBytesMax - 100;
        for (int at = 0; at < message.Length; at += partBytes)
        {
            int count = Math.Min(partBytes, message.Length - at);
            bool isFirst = at == 0;
            var transfer = new Transfer
            {
                Handle = 0, DeliveryId = isFirst ? id : null, DeliveryTag = isFirst ? TagOf(tag) : default, More = at + count < message.Length,
                State = state,
            };
            Task sent = SendAsync(new Frames10().Add(in transfer, payload: message.AsSpan(at, count)));
            await sent;
        }
        return id;
    }

    /// <summary>Takes a message out of the outbox.</summary>
    protected void Remove(uint tag) => _outbox.Remove(tag);

    /// <summary>The broker has it: settles it, at once or when the broker has told it once more.</summary>
    private async Task ResumeAsync(uint tag)
    {
        uint id = Wire.NextDeliveryId();
        bool isSettled = !Plan.IsRandom || Broker.Random.Next(2) == 0;
        if (!Plan.ForgetsLate && isSettled) _outbox.Remove(tag); // before it says so: the broker will know nothing of it from then on
        if (!isSettled) UnderWay.Add(id, tag);
        var transfer = new Transfer { Handle = 0, DeliveryId = id, DeliveryTag = TagOf(tag), Resume = true, Settled = isSettled, State = States10.Accepted };
        Task sent = SendAsync(new Frames10().Add(in transfer));
        await sent;
        if (isSettled) _outbox.Remove(tag);
    }

    /// <summary>Takes what was answered out of the outbox, and settles it.</summary>
    protected async Task SettleAsync(WireDisposition disposition)
    {
        (disposition.Role, disposition.State?.Name).ShouldBe((Role.Receiver, "accepted"));
        uint last = disposition.Last ?? disposition.First;
        for (uint id = disposition.First; id <= last; id++)
        {
            UnderWay.Remove(id, out uint tag).ShouldBeTrue();
            _outbox.Remove(tag);
        }
        if (disposition.Settled) return;
        await SendAsync(new Frames10().Add(new Disposition
        {
            Role = Role.Sender, First = disposition.First, Last = last, Settled = true, State = States10.Accepted,
        }));
    }
}
