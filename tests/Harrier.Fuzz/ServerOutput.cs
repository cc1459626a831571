using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>What a server may write, whatever was written to it: whole frames, methods that it may send, and content where content belongs.</summary>
internal static class ServerOutput
{
    private const int PayloadMax = 131_072;

    /// <summary>Asserts all that; answers a number for what the server did.</summary>
    public static long Check(ReadOnlySpan<byte> answers)
    {
        if (answers.SequenceEqual("AMQP\0\0\u0009\u0001"u8)) return 1; // what is spoken here, to a peer that speaks something else
        if (answers.StartsWith("AMQP"u8)) return ServerOutput10.Check(answers);
        var behaviour = new Behaviour();
        var bodyLeft = new Dictionary<ushort, ulong?>(); // by channel; null while a header is due
        AmqpMethod last = default;
        while (FrameReader.TryRead(ref answers, PayloadMax, out Frame frame))
        {
            last.ShouldNotBe(AmqpMethod.ConnectionCloseOk, "nothing comes after the end");
            switch (frame.Type)
            {
                case FrameType.Method:
                    AmqpMethod method = MethodOf(frame);
                    bodyLeft.ShouldNotContainKey(frame.Channel, "content comes before the next method of its channel");
                    if (MethodCatalogue.HasContent(method)) bodyLeft.Add(frame.Channel, null);
                    if (method != last || method == AmqpMethod.ChannelClose) AddMethod(ref behaviour, method, frame.Payload[4..]);
                    last = method;
                    break;
                case FrameType.Header:
                    bodyLeft.ShouldContainKeyAndValue(frame.Channel, null);
                    ulong size = ContentHeader.Read(frame.Payload).BodySize;
                    if (size == 0) bodyLeft.Remove(frame.Channel);
                    else bodyLeft[frame.Channel] = size;
                    break;
                case FrameType.Body:
                    ulong left = bodyLeft[frame.Channel].ShouldNotBeNull() - (ulong)frame.Payload.Length;
                    left.ShouldBeLessThan(ulong.MaxValue / 2, "a body is as long as its header says");
                    if (left == 0) bodyLeft.Remove(frame.Channel);
                    else bodyLeft[frame.Channel] = left;
                    break;
                default:
                    frame.Channel.ShouldBe((ushort)0);
                    break;
            }
        }
        answers.Length.ShouldBe(0, "frames are written whole");
        bodyLeft.ShouldBeEmpty();
        return behaviour.Value;
    }

    /// <summary>The methods, in their order.</summary>
    public static IReadOnlyList<AmqpMethod> Methods(ReadOnlySpan<byte> answers)
    {
        var methods = new List<AmqpMethod>();
        while (FrameReader.TryRead(ref answers, PayloadMax, out Frame frame))
            if (frame.Type == FrameType.Method) methods.Add(MethodOf(frame));
        return methods;
    }

    private static AmqpMethod MethodOf(Frame frame) => (AmqpMethod)new WireReader(frame.Payload).ReadLong();

    private static void AddMethod(ref Behaviour behaviour, AmqpMethod method, ReadOnlySpan<byte> arguments)
    {
        MethodCatalogue.NameOf(method).ShouldNotBeNull();
        behaviour.Add((uint)method);
        if (method is not (AmqpMethod.ConnectionClose or AmqpMethod.ChannelClose)) return;
        ChannelClose close = ChannelClose.Decode(arguments); // both have the same arguments
        AddClose(ref behaviour, close.ReplyCode, close.ReplyText);
    }

    private static void AddClose(ref Behaviour behaviour, ushort code, ReadOnlySpan<byte> replyText)
    {
        string text = Encoding.UTF8.GetString(replyText);
        code.ShouldNotBe(ReplyCode.InternalError, text);
        behaviour.AddKind(text);
    }
}
