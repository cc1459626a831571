using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>What a peer says of a delivery (1.0 part 3, section 3.4; part 4, section 4.5.8), as far as it matters here.</summary>
internal readonly ref struct DeliveryState
{
    /// <summary>Accepted, encoded.</summary>
    public static readonly byte[] Accepted = Values10.Composite(new Accepted());

    /// <summary>Released, encoded.</summary>
    public static readonly byte[] Released = Values10.Composite(new Released());

    /// <summary>Rejected without a reason, encoded.</summary>
    public static readonly byte[] Rejected = Values10.Composite(new Rejected());

    private static readonly byte[] Failed = Values10.Composite(new Modified { DeliveryFailed = true });

    private DeliveryState(Outcome? outcome, ReadOnlySpan<byte> transactionId, bool isTransactional)
    {
        Outcome = outcome;
        TransactionId = transactionId;
        IsTransactional = isTransactional;
    }

    /// <summary>How it ended; null when it has not, or nothing is said of it.</summary>
    public Outcome? Outcome { get; }

    /// <summary>The encoded annotations that the message is to get, or empty; in a transaction there are none.</summary>
    public ReadOnlySpan<byte> Annotations { get; private init; }

    /// <summary>Whether it is part of a transaction.</summary>
    public bool IsTransactional { get; }

    /// <summary>The transaction's name.</summary>
    public ReadOnlySpan<byte> TransactionId { get; }

    /// <summary>Whether this is the end of it.</summary>
    public bool IsTerminal => Outcome is not null || IsTransactional;

    /// <summary>An outcome, encoded; without what a peer may have said besides.</summary>
    public static byte[] Of(Outcome outcome) => outcome switch
    {
        Broker.Sessions.Outcome.Accepted => Accepted,
        Broker.Sessions.Outcome.Rejected => Rejected,
        Broker.Sessions.Outcome.Failed => Failed,
        _ => Released,
    };

    /// <summary>An encoded outcome in a transaction that is not discharged yet.</summary>
    public static byte[] In(byte[] transactionId, byte[] outcome) => Values10.Composite(new TransactionalState { TxnId = Binary(transactionId), Outcome = outcome });

    /// <summary>The answer to a declare.</summary>
    public static byte[] Declared(byte[] transactionId) => Values10.Composite(new Declared { TxnId = Binary(transactionId) });

    /// <summary>Rejected with an error.</summary>
    public static byte[] RejectedWith(string condition, string description) => Values10.Composite(new Rejected { Error = AmqpException.Encode(condition, description) });

    /// <summary>Reads an encoded state, or default for none. Throws <see cref="DecodeException"/> when it is none that the standard has.</summary>
    public static DeliveryState Read(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty) return default;
        var reader = new ValueReader(encoded);
        ulong code = reader.ReadDescriptor();
        if (code == Modified.Code)
        {
            Modified modified = Modified.Decode(ref reader);
            return new DeliveryState(OutcomeOf(in modified), default, isTransactional: false) { Annotations = modified.MessageAnnotations };
        }
        if (code != TransactionalState.Code) return new DeliveryState(ReadOutcome(code, ref reader), default, isTransactional: false);
        TransactionalState state = TransactionalState.Decode(ref reader);
        Outcome? outcome = null;
        if (!state.Outcome.IsEmpty)
        {
            var inner = new ValueReader(state.Outcome);
            outcome = ReadOutcome(inner.ReadDescriptor(), ref inner);
        }
        return new DeliveryState(outcome, new ValueReader(state.TxnId).ReadBinary(), isTransactional: true);
    }

    private static byte[] Binary(byte[] bytes)
    {
        byte[] encoded = new byte[bytes.Length + 2];
        var writer = new ValueWriter(encoded);
        writer.WriteBinary(bytes);
        return encoded;
    }

    private static Outcome OutcomeOf(in Modified modified)
    {
        if (modified.UndeliverableHere == true) return Broker.Sessions.Outcome.Rejected; // it goes where dead letters go (behaviour note 111)
        return modified.DeliveryFailed == true ? Broker.Sessions.Outcome.Failed : Broker.Sessions.Outcome.Released;
    }

    private static Outcome? ReadOutcome(ulong code, ref ValueReader reader)
    {
        switch (code)
        {
            case Harrier.Protocol.Amqp10.Accepted.Code: return Broker.Sessions.Outcome.Accepted;
            case Harrier.Protocol.Amqp10.Rejected.Code: return Broker.Sessions.Outcome.Rejected;
            case Harrier.Protocol.Amqp10.Released.Code: return Broker.Sessions.Outcome.Released;
            case Received.Code: return null;
            case Modified.Code:
                Modified modified = Modified.Decode(ref reader);
                return OutcomeOf(in modified);
            default: throw new DecodeException($"there is no delivery state with the descriptor 0x{code:x}");
        }
    }
}
