using Harrier.Amqp.V091;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>
/// A property section is refused, or everything that the broker does with it works: reading headers, routing keys, and the two rewrites, which leave
/// everything else as it was.
/// </summary>
internal static class PublishPropertiesTarget
{
    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        try
        {
            PublishProperties properties = PublishProperties.Read(input);
            behaviour.Add((ushort)properties.Present);
            foreach (string name in (string[])["CC", "BCC", "n", ""]) FindHeader(input, System.Text.Encoding.ASCII.GetBytes(name), ref behaviour);
            if (properties.Present.HasFlag(BasicPropertyFlags.Headers)) CheckWithoutHeader(input);
            if (properties.Present.HasFlag(BasicPropertyFlags.ReplyTo)) CheckWithReplyTo(input);
            behaviour.Add(properties.ExtraRoutingKeys(out bool hasBcc)?.Length ?? -1);
            behaviour.Add(hasBcc ? 1 : 0);
        }
        catch (AmqpProtocolException e)
        {
            e.Code.ShouldBeOneOf(ReplyCode.FrameError, ReplyCode.SyntaxError);
            behaviour.AddKind(e.Message);
        }
        catch (BrokerException e)
        {
            (e.Scope, e.Code).ShouldBe((ErrorScope.Channel, ErrorCode.PreconditionFailed));
            behaviour.AddKind(e.Message);
        }
        return behaviour.Value;
    }

    private static void FindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, ref Behaviour behaviour)
    {
        if (MessageFormat091.Instance.TryFindHeader(properties, name, out HeaderValue value))
            behaviour.Add(value.Matches(ArgumentValue.Of(1)) ? 1 : 0);
    }

    private static void CheckWithoutHeader(ReadOnlySpan<byte> properties)
    {
        byte[] rewritten = PropertyRewriter.WithoutHeader(properties, "BCC"u8);
        AssertSameBut(BasicPropertyFlags.Headers, properties, rewritten);
        PublishProperties read = PublishProperties.Read(rewritten);
        FieldTableReader.TryFind(read.Headers, "BCC"u8, out _).ShouldBeFalse();
        PropertyRewriter.WithoutHeader(rewritten, "BCC"u8).ShouldBe(rewritten);
    }

    private static void CheckWithReplyTo(ReadOnlySpan<byte> properties)
    {
        byte[] rewritten = PropertyRewriter.WithReplyTo(properties, "another"u8);
        AssertSameBut(BasicPropertyFlags.ReplyTo, properties, rewritten);
        PublishProperties.Read(rewritten).ReplyTo.SequenceEqual("another"u8).ShouldBeTrue();
    }

    private static void AssertSameBut(BasicPropertyFlags changed, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> rewritten)
    {
        var before = new BasicPropertiesReader(properties);
        var after = new BasicPropertiesReader(rewritten);
        while (before.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            after.TryRead(out BasicPropertyFlags same, out ReadOnlySpan<byte> now).ShouldBeTrue();
            same.ShouldBe(property);
            if (property != changed) now.SequenceEqual(value).ShouldBeTrue();
        }
        after.TryRead(out _, out _).ShouldBeFalse();
    }
}
