using Harrier.Amqp.V091;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>
/// A property section is refused, or everything that the broker does with it works: reading headers, routing keys, and the rewrites, which leave everything
/// else as it was.
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
            CheckDelay(input);
            CheckCounts(input);
            foreach (bool hasDeaths in (bool[])[false, true]) CheckDeaths(input, hasDeaths, ref behaviour);
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

    private static void CheckDelay(ReadOnlySpan<byte> properties)
    {
        byte[] rewritten = MessageFormat091.Instance.AfterDelay(properties);
        AssertSameBut(BasicPropertyFlags.Headers, properties, rewritten);
        PublishProperties.Read(rewritten);
        MessageFormat091.Instance.AfterDelay(rewritten).ShouldBe(rewritten);
    }

    private static void CheckCounts(ReadOnlySpan<byte> properties)
    {
        byte[] rewritten = DeliveryCounts.Write(properties, 1, 2);
        AssertSameBut(BasicPropertyFlags.Headers, properties, rewritten);
        PublishProperties.Read(rewritten);
        DeliveryCounts.Write(rewritten, 1, 2).ShouldBe(rewritten);
    }

    // Whatever stands in x-death, a message that dies twice in a queue has been there, and is well-formed.
    private static void CheckDeaths(ReadOnlySpan<byte> properties, bool hasDeaths, ref Behaviour behaviour)
    {
        Message message = Message.Rent(MessageFormat091.Instance, "x"u8, "k"u8, properties, 0);
        message.HasDeaths = hasDeaths;
        behaviour.Add(message.Format.HasCycle(message, "q") ? 1 : 0);
        foreach (DeathReason reason in (DeathReason[])[DeathReason.Expired, DeathReason.Expired, DeathReason.Rejected])
        {
            byte[] dead = message.Format.WithDeath(message, new Death("q", reason, 1_000), keepsCarbonCopies: true);
            AssertSameBut(BasicPropertyFlags.Headers, message.Properties, dead, BasicPropertyFlags.Expiration);
            PublishProperties.Read(dead);
            Message next = message.Copy("dlx"u8, "k"u8, dead);
            message.Release();
            message = next;
            message.HasDeaths = true;
            message.Format.HasCycle(message, "q").ShouldBe(reason != DeathReason.Rejected);
        }
        message.Release();
    }

    private static void AssertSameBut(
        BasicPropertyFlags changed, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> rewritten, BasicPropertyFlags removed = BasicPropertyFlags.None)
    {
        var before = new BasicPropertiesReader(properties);
        var after = new BasicPropertiesReader(rewritten);
        bool isNew = !BasicPropertiesReader.TryFind(properties, changed, out _) && BasicPropertiesReader.TryFind(rewritten, changed, out _);
        while (before.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            if (property == removed) continue;
            if (isNew && property < changed) SkipNew(ref after, changed, ref isNew);
            after.TryRead(out BasicPropertyFlags same, out ReadOnlySpan<byte> now).ShouldBeTrue();
            same.ShouldBe(property);
            if (property != changed) now.SequenceEqual(value).ShouldBeTrue();
        }
        if (isNew) SkipNew(ref after, changed, ref isNew);
        after.TryRead(out _, out _).ShouldBeFalse();
    }

    private static void SkipNew(ref BasicPropertiesReader after, BasicPropertyFlags added, ref bool isNew)
    {
        after.TryRead(out BasicPropertyFlags property, out _).ShouldBeTrue();
        property.ShouldBe(added);
        isNew = false;
    }
}
