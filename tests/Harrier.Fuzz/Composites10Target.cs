using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>A described list is refused, or understood as a composite that reads back to itself; neither costs memory.</summary>
internal static class Composites10Target
{
    // What throwing an exception costs, and the bytes that are written twice.
    private const int BytesAtLeast = 32 << 10;
    private const int BytesPerByte = 8;

    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            byte[]? understood = Reencode(input, out ulong code, out int size);
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(BytesAtLeast + BytesPerByte * input.Length);
            behaviour.Add((long)code);
            if (understood is null) return behaviour.Value;

            Reencode(understood, out ulong sameCode, out int sameSize).ShouldBe(understood);
            sameCode.ShouldBe(code);
            sameSize.ShouldBe(understood.Length);
            understood.Length.ShouldBeLessThanOrEqualTo(Math.Max(size, 4), "what is written is the shortest form");
            // Which fields are there tells composites apart.
            var reader = new ValueReader(understood);
            reader.ReadDescriptor();
            int count = reader.ReadList(out ValueReader items);
            for (; count > 0; count--)
            {
                behaviour.Add(items.Next == FormatCode.Null ? 0 : 1);
                items.Skip();
            }
        }
        catch (DecodeException e)
        {
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(BytesAtLeast + BytesPerByte * input.Length);
            behaviour.AddKind(e.Message);
        }
        return behaviour.Value;
    }

    // Size tells how many bytes of the input the composite took.
    private static byte[]? Reencode(ReadOnlySpan<byte> input, out ulong code, out int size)
    {
        var reader = new ValueReader(input);
        code = reader.ReadDescriptor();
        byte[]? encoded = Reencode(code, ref reader);
        size = input.Length - reader.Rest.Length;
        return encoded;
    }

    private static byte[]? Reencode(ulong code, ref ValueReader reader) => code switch
    {
        Open.Code => Encode(Open.Decode(ref reader)),
        Begin.Code => Encode(Begin.Decode(ref reader)),
        Attach.Code => Encode(Attach.Decode(ref reader)),
        Flow.Code => Encode(Flow.Decode(ref reader)),
        Transfer.Code => Encode(Transfer.Decode(ref reader)),
        Disposition.Code => Encode(Disposition.Decode(ref reader)),
        Detach.Code => Encode(Detach.Decode(ref reader)),
        End.Code => Encode(End.Decode(ref reader)),
        Close.Code => Encode(Close.Decode(ref reader)),
        AmqpError.Code => Encode(AmqpError.Decode(ref reader)),
        MessageHeader.Code => Encode(MessageHeader.Decode(ref reader)),
        MessageProperties.Code => Encode(MessageProperties.Decode(ref reader)),
        Received.Code => Encode(Received.Decode(ref reader)),
        Accepted.Code => Encode(Accepted.Decode(ref reader)),
        Rejected.Code => Encode(Rejected.Decode(ref reader)),
        Released.Code => Encode(Released.Decode(ref reader)),
        Modified.Code => Encode(Modified.Decode(ref reader)),
        Source.Code => Encode(Source.Decode(ref reader)),
        Target.Code => Encode(Target.Decode(ref reader)),
        DeleteOnClose.Code => Encode(DeleteOnClose.Decode(ref reader)),
        DeleteOnNoLinks.Code => Encode(DeleteOnNoLinks.Decode(ref reader)),
        DeleteOnNoMessages.Code => Encode(DeleteOnNoMessages.Decode(ref reader)),
        DeleteOnNoLinksOrMessages.Code => Encode(DeleteOnNoLinksOrMessages.Decode(ref reader)),
        Coordinator.Code => Encode(Coordinator.Decode(ref reader)),
        Declare.Code => Encode(Declare.Decode(ref reader)),
        Discharge.Code => Encode(Discharge.Decode(ref reader)),
        Declared.Code => Encode(Declared.Decode(ref reader)),
        TransactionalState.Code => Encode(TransactionalState.Decode(ref reader)),
        SaslMechanisms.Code => Encode(SaslMechanisms.Decode(ref reader)),
        SaslInit.Code => Encode(SaslInit.Decode(ref reader)),
        SaslChallenge.Code => Encode(SaslChallenge.Decode(ref reader)),
        SaslResponse.Code => Encode(SaslResponse.Decode(ref reader)),
        SaslOutcome.Code => Encode(SaslOutcome.Decode(ref reader)),
        _ => null,
    };

    private static byte[] Encode<T>(T composite) where T : IComposite, allows ref struct
    {
        byte[] room = new byte[composite.SizeMax];
        return room[..composite.Write(room)];
    }
}
