using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>What a server may write to a peer of 1.0: headers, each followed by whole frames of its kind, with performatives that it may send.</summary>
internal static class ServerOutput10
{
    private const int SizeMax = 131_072;

    /// <summary>Asserts all that; answers a number for what the server did.</summary>
    public static long Check(ReadOnlySpan<byte> answers)
    {
        var behaviour = new Behaviour();
        FrameType10 type = default;
        ulong last = 0;
        while (!answers.IsEmpty)
        {
            last.ShouldNotBe(Close.Code, "nothing comes after the end");
            if (answers.StartsWith("AMQP"u8))
            {
                type = TypeBehind(answers[..8]);
                answers = answers[8..];
                continue;
            }
            FrameReader10.TryRead(ref answers, SizeMax, out Frame10 frame).ShouldBeTrue("frames are written whole");
            frame.Type.ShouldBe(type);
            if (frame.Body.IsEmpty) continue;
            ulong code = CheckBody(ref behaviour, frame.Body, type);
            if (code != last) behaviour.Add((long)code);
            last = code;
        }
        return behaviour.Value;
    }

    private static FrameType10 TypeBehind(ReadOnlySpan<byte> header)
    {
        bool isSasl = header.SequenceEqual("AMQP\u0003\u0001\0\0"u8);
        if (!isSasl) header.SequenceEqual("AMQP\0\u0001\0\0"u8).ShouldBeTrue("there are two headers");
        return isSasl ? FrameType10.Sasl : FrameType10.Amqp;
    }

    private static ulong CheckBody(ref Behaviour behaviour, ReadOnlySpan<byte> body, FrameType10 type)
    {
        var reader = new ValueReader(body);
        ulong code = reader.ReadDescriptor();
        (code is SaslMechanisms.Code or SaslChallenge.Code or SaslOutcome.Code).ShouldBe(type == FrameType10.Sasl);
        switch (code)
        {
            case SaslMechanisms.Code: SaslMechanisms.Decode(ref reader); break;
            case SaslChallenge.Code: SaslChallenge.Decode(ref reader); break;
            case SaslOutcome.Code: behaviour.Add((long)SaslOutcome.Decode(ref reader).SaslCode); break;
            case Open.Code: Open.Decode(ref reader); break;
            case Begin.Code: Begin.Decode(ref reader); break;
            case Attach.Code: Attach.Decode(ref reader); break;
            case Flow.Code: Flow.Decode(ref reader); break;
            case Transfer.Code: Transfer.Decode(ref reader); break;
            case Disposition.Code: Disposition.Decode(ref reader); break;
            case Detach.Code: AddError(ref behaviour, Detach.Decode(ref reader).Error); break;
            case End.Code: AddError(ref behaviour, End.Decode(ref reader).Error); break;
            case Close.Code: AddError(ref behaviour, Close.Decode(ref reader).Error); break;
            default: throw new InvalidOperationException($"a server sends no 0x{code:x}");
        }
        if (code != Transfer.Code) reader.IsAtEnd.ShouldBeTrue("only a transfer has a payload");
        return code;
    }

    private static void AddError(ref Behaviour behaviour, ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsNull) return;
        var reader = new ValueReader(encoded);
        reader.ReadDescriptor().ShouldBe(AmqpError.Code);
        AmqpError error = AmqpError.Decode(ref reader);
        string condition = Encoding.ASCII.GetString(error.Condition), description = Encoding.UTF8.GetString(error.Description);
        condition.ShouldNotBe("amqp:internal-error", description);
        behaviour.AddKind(condition);
        behaviour.AddKind(description);
    }
}
