using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>A table is refused as a whole, or becomes arguments that equal themselves; neither costs much more memory than the table.</summary>
internal static class FieldTableTarget
{
    // Arguments of the smallest fields, two octets each, take this much an octet while their list grows; an exception takes some by itself.
    private const int BytesPerOctet = 256;
    private const int BytesAtLeast = 32 << 10;

    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            ArgumentTable arguments = Arguments091.Read(input);
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(BytesAtLeast + BytesPerOctet * input.Length);

            ArgumentTable again = Arguments091.Read(input);
            again.ShouldBe(arguments);
            again.GetHashCode().ShouldBe(arguments.GetHashCode());
            foreach (Argument argument in arguments)
            {
                FieldTableReader.TryFind(input, System.Text.Encoding.UTF8.GetBytes(argument.Name), out _);
                argument.Value.Text.ShouldNotBeNull();
                behaviour.Add((int)argument.Value.Kind);
            }
            ClientProperties.Read(input).Name.ShouldNotBeNull();
        }
        catch (AmqpProtocolException e)
        {
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(BytesAtLeast);
            e.Code.ShouldBeOneOf(ReplyCode.FrameError, ReplyCode.SyntaxError);
            behaviour.AddKind(e.Message);
        }
        return behaviour.Value;
    }
}
