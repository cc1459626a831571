using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>Reads what a server sends into records; fails for what no server may send.</summary>
internal static class WireDecoder10
{
    /// <summary>The performative of a frame's body, with the payload behind a transfer.</summary>
    public static object Decode(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return new WireEmpty();
        var reader = new ValueReader(body);
        ulong code = reader.ReadDescriptor();
        object performative = code == Transfer.Code ? ReadTransfer(ref reader) : ReadBare(code, ref reader);
        if (performative is not WireTransfer && !reader.IsAtEnd) throw new WireScriptException($"The server sent bytes behind {performative}.");
        return performative;
    }

    /// <summary>The text of a string or symbol; of other values their bytes in hexadecimal.</summary>
    public static string TextOf(ReadOnlySpan<byte> encoded)
    {
        var reader = new ValueReader(encoded);
        bool isText = reader.Next is FormatCode.String8 or FormatCode.String32 or FormatCode.Symbol8 or FormatCode.Symbol32;
        return isText ? Encoding.UTF8.GetString(reader.ReadText()) : Convert.ToHexString(encoded);
    }

    /// <summary>The keys and values of a map; fails when one of the keys is there twice (1.0 part 1, section 1.6.23).</summary>
    public static Dictionary<string, string> ReadMap(ReadOnlySpan<byte> encoded)
    {
        var map = new Dictionary<string, string>();
        if (encoded.IsEmpty) return map;
        int count = new ValueReader(encoded).ReadMap(out ValueReader items);
        for (int i = 0; i < count; i += 2)
        {
            string key = TextOf(items.ReadValue());
            if (!map.TryAdd(key, TextOf(items.ReadValue()))) throw new WireScriptException($"The server sent a map with the key {key} twice.");
        }
        return map;
    }

    private static object ReadBare(ulong code, ref ValueReader reader) => code switch
    {
        SaslMechanisms.Code => new WireMechanisms(Symbols(SaslMechanisms.Decode(ref reader).SaslServerMechanisms)),
        SaslChallenge.Code => new WireChallenge(SaslChallenge.Decode(ref reader).Challenge.ToArray()),
        SaslOutcome.Code => ReadOutcome(ref reader),
        Open.Code => ReadOpen(ref reader),
        Begin.Code => ReadBegin(ref reader),
        Attach.Code => ReadAttach(ref reader),
        Flow.Code => ReadFlow(ref reader),
        Disposition.Code => ReadDisposition(ref reader),
        Detach.Code => ReadDetach(ref reader),
        End.Code => new WireEnd(ReadError(End.Decode(ref reader).Error)),
        Close.Code => new WireClose(ReadError(Close.Decode(ref reader).Error)),
        _ => throw new WireScriptException($"The server sent a frame with the descriptor 0x{code:x}."),
    };

    private static WireOutcome ReadOutcome(ref ValueReader reader)
    {
        SaslOutcome outcome = SaslOutcome.Decode(ref reader);
        return new WireOutcome(outcome.SaslCode, outcome.AdditionalData.ToArray());
    }

    private static WireOpen ReadOpen(ref ValueReader reader)
    {
        Open open = Open.Decode(ref reader);
        return new WireOpen(
            Utf8(open.ContainerId), open.MaxFrameSize, open.ChannelMax, open.IdleTimeOut, Symbols(open.OfferedCapabilities), ReadMap(open.Properties));
    }

    private static WireBegin ReadBegin(ref ValueReader reader)
    {
        Begin begin = Begin.Decode(ref reader);
        return new WireBegin(begin.RemoteChannel, begin.NextOutgoingId, begin.IncomingWindow, begin.OutgoingWindow, begin.HandleMax);
    }

    private static WireAttach ReadAttach(ref ValueReader reader)
    {
        Attach attach = Attach.Decode(ref reader);
        Source source = SourceOf(attach.Source);
        ReadOnlySpan<byte> coordinator = CoordinatorOf(attach.Target, out bool isCoordinator);
        Target target = isCoordinator ? default : TargetOf(attach.Target);
        return new WireAttach(Utf8(attach.Name), attach.Handle, attach.Role, attach.SndSettleMode, attach.RcvSettleMode)
        {
            HasSource = !attach.Source.IsEmpty,
            HasTarget = !attach.Target.IsEmpty,
            IsCoordinator = isCoordinator,
            SourceAddress = source.Address.IsEmpty ? null : TextOf(source.Address),
            IsSourceDynamic = source.Dynamic,
            SourceOutcomes = Symbols(source.Outcomes),
            DistributionMode = source.DistributionMode.IsNull ? null : Utf8(source.DistributionMode),
            SourceFilters = source.Filter.IsEmpty ? [] : [.. ReadMap(source.Filter).Keys],
            DefaultOutcome = ReadState(source.DefaultOutcome),
            TargetAddress = target.Address.IsEmpty ? null : TextOf(target.Address),
            IsTargetDynamic = target.Dynamic,
            TargetCapabilities = Symbols(isCoordinator ? coordinator : target.Capabilities),
            OfferedCapabilities = Symbols(attach.OfferedCapabilities),
            InitialDeliveryCount = attach.InitialDeliveryCount,
            MaxMessageSize = attach.MaxMessageSize,
            Unsettled = attach.Unsettled.IsEmpty ? null : ReadUnsettled(attach.Unsettled),
            IncompleteUnsettled = attach.IncompleteUnsettled,
            Terminus = attach.Role == Role.Sender
                ? (source.Durable, TextOrNull(source.ExpiryPolicy), source.Timeout)
                : (target.Durable, TextOrNull(target.ExpiryPolicy), target.Timeout),
        };
    }

    private static Dictionary<string, WireState?> ReadUnsettled(ReadOnlySpan<byte> encoded)
    {
        var map = new Dictionary<string, WireState?>();
        int count = new ValueReader(encoded).ReadMap(out ValueReader items);
        for (int i = 0; i < count; i += 2)
        {
            string tag = Convert.ToHexString(items.ReadBinary());
            map.Add(tag, items.TryReadNull() ? null : ReadState(items.ReadValue()));
        }
        return map;
    }

    private static WireFlow ReadFlow(ref ValueReader reader)
    {
        Flow flow = Flow.Decode(ref reader);
        return new WireFlow(flow.NextIncomingId, flow.IncomingWindow, flow.NextOutgoingId, flow.OutgoingWindow)
        {
            Handle = flow.Handle,
            DeliveryCount = flow.DeliveryCount,
            LinkCredit = flow.LinkCredit,
            Available = flow.Available,
            Drain = flow.Drain,
            Echo = flow.Echo,
        };
    }

    private static WireTransfer ReadTransfer(ref ValueReader reader)
    {
        Transfer transfer = Transfer.Decode(ref reader);
        return new WireTransfer(transfer.Handle, transfer.DeliveryId, transfer.DeliveryTag.ToArray(), transfer.Settled, transfer.More, reader.Rest.ToArray())
        {
            MessageFormat = transfer.MessageFormat,
            Aborted = transfer.Aborted,
            Resume = transfer.Resume,
        };
    }

    private static WireDisposition ReadDisposition(ref ValueReader reader)
    {
        Disposition disposition = Disposition.Decode(ref reader);
        return new WireDisposition(disposition.Role, disposition.First, disposition.Last, disposition.Settled, ReadState(disposition.State));
    }

    private static WireDetach ReadDetach(ref ValueReader reader)
    {
        Detach detach = Detach.Decode(ref reader);
        return new WireDetach(detach.Handle, detach.Closed, ReadError(detach.Error));
    }

    private static WireState? ReadState(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return null;
        var reader = new ValueReader(encoded);
        switch (reader.ReadDescriptor())
        {
            case Accepted.Code: return new WireState("accepted");
            case Released.Code: return new WireState("released");
            case Modified.Code: return new WireState("modified");
            case Received.Code: return new WireState("received");
            case Rejected.Code: return new WireState("rejected") { Error = ReadError(Rejected.Decode(ref reader).Error) };
            case Declared.Code: return new WireState("declared") { TransactionId = Binary(Declared.Decode(ref reader).TxnId) };
            case TransactionalState.Code:
                TransactionalState state = TransactionalState.Decode(ref reader);
                return new WireState("transactional-state") { TransactionId = Binary(state.TxnId), Outcome = ReadState(state.Outcome) };
            case var code: throw new WireScriptException($"The server sent a delivery state with the descriptor 0x{code:x}.");
        }
    }

    private static WireError? ReadError(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return null;
        var reader = new ValueReader(encoded);
        reader.ReadDescriptor();
        AmqpError error = AmqpError.Decode(ref reader);
        return new WireError(Utf8(error.Condition), error.Description.IsNull ? null : Utf8(error.Description));
    }

    private static Source SourceOf(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return default;
        var reader = new ValueReader(encoded);
        reader.ReadDescriptor();
        return Source.Decode(ref reader);
    }

    private static Target TargetOf(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return default;
        var reader = new ValueReader(encoded);
        reader.ReadDescriptor();
        return Target.Decode(ref reader);
    }

    private static ReadOnlySpan<byte> CoordinatorOf(ReadOnlySpan<byte> encoded, out bool isCoordinator)
    {
        var reader = new ValueReader(encoded);
        isCoordinator = !encoded.IsEmpty && reader.ReadDescriptor() == Coordinator.Code;
        return isCoordinator ? Coordinator.Decode(ref reader).Capabilities : default;
    }

    private static string[] Symbols(ReadOnlySpan<byte> encoded)
    {
        var symbols = new List<string>();
        var list = new SymbolList(encoded);
        while (list.TryRead(out ReadOnlySpan<byte> symbol)) symbols.Add(Utf8(symbol));
        return [.. symbols];
    }

    private static string Binary(ReadOnlySpan<byte> encoded) => Convert.ToHexString(new ValueReader(encoded).ReadBinary());

    private static string? TextOrNull(ReadOnlySpan<byte> bytes) => bytes.IsNull ? null : Utf8(bytes);

    private static string Utf8(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
