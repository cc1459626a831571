using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>
/// A 1.0 message is refused, or everything that the broker does with it works: reading it, its deaths and delays, and the way to 0-9-1 and back, whose results
/// are valid.
/// </summary>
internal static class MessageSectionsTarget
{
    public static long Fuzz(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        try
        {
            int prefixSize = Sections10.FindBody(input);
            CheckPieces(input, prefixSize);
            ReadOnlySpan<byte> properties = Sections10.WithoutDeliveryAnnotations(input[..prefixSize]), body = input[prefixSize..];
            PublishSections10 publish = PublishSections10.Read(properties);
            Body10.Check(body);
            Message message = Message.Rent(MessageFormat10.Instance, "x"u8, "k"u8, properties, body.Length);
            message.AppendBody(body, body.Length);
            message.ExtraRoutingKeys = publish.ExtraRoutingKeys();
            behaviour.Add(message.ExtraRoutingKeys?.Length ?? -1);
            behaviour.Add(publish.IsDurable ? 1 : 0);
            foreach (string name in (string[])["n", "x-delay", "x-opt-deaths", ""])
                if (message.Format.TryFindHeader(properties, System.Text.Encoding.ASCII.GetBytes(name), out HeaderValue value)) behaviour.Add((int)value.Kind);
            foreach (MessageProperty property in Enum.GetValues<MessageProperty>())
                if (message.Format.TryFindProperty(properties, property, out HeaderValue value)) behaviour.Add((int)value.Kind);
            CheckDelay(properties);
            CheckThereAndBack(message, ref behaviour);
            foreach (bool hasDeaths in (bool[])[false, true]) CheckDeaths(message.Copy("x"u8, "k"u8, properties), hasDeaths, ref behaviour);
            message.Release();
        }
        catch (DecodeException e)
        {
            behaviour.AddKind(e.Message);
        }
        return behaviour.Value;
    }

    // However it comes in pieces, the body is found at the same place, and not before its descriptor has come.
    private static void CheckPieces(ReadOnlySpan<byte> input, int prefixSize)
    {
        for (int size = 0; size <= Math.Min(prefixSize, 300); size++) new Sections10(input[..size]).IsBodyFound.ShouldBeFalse();
    }

    private static void CheckDelay(ReadOnlySpan<byte> properties)
    {
        byte[] over = MessageFormat10.Instance.AfterDelay(properties);
        PublishSections10.Read(over);
        MessageFormat10.Instance.AfterDelay(over).ShouldBe(over);
    }

    private static void CheckThereAndBack(Message message, ref Behaviour behaviour)
    {
        Message there = To091.Convert(message);
        behaviour.Add((int)PublishProperties.Read(there.Properties).Present);
        there.Properties.Length.ShouldBeLessThan(To091.HeadersSizeMax + (4 << 10));
        Message back = To10.Convert(there);
        PublishSections10.Read(back.Properties);
        Body10.Check(back.Body);
        Message again = To091.Convert(back);
        again.Body.SequenceEqual(there.Body).ShouldBeTrue();
        foreach (Message converted in (Message[])[there, back, again]) converted.Release();
    }

    // Whatever stands in x-opt-deaths, a message that dies twice in a queue has been there, and is well-formed.
    private static void CheckDeaths(Message message, bool hasDeaths, ref Behaviour behaviour)
    {
        message.HasDeaths = hasDeaths;
        behaviour.Add(message.Format.HasCycle(message, "q") ? 1 : 0);
        behaviour.Add(message.Format.FindLastDeath(message) is null ? 0 : 1);
        foreach (DeathReason reason in (DeathReason[])[DeathReason.Expired, DeathReason.Expired, DeathReason.Rejected])
        {
            byte[] dead = message.Format.WithDeath(message, new Death("q", reason, 1_000), keepsCarbonCopies: true);
            PublishSections10.Read(dead).TimeToLiveMs.ShouldBeNull();
            Sections10.Find(dead).Bare.SequenceEqual(Sections10.Find(message.Properties).Bare).ShouldBeTrue();
            Message next = message.Copy("dlx"u8, "k"u8, dead);
            message.Release();
            message = next;
            message.HasDeaths = true;
            message.Format.HasCycle(message, "q").ShouldBe(reason != DeathReason.Rejected);
            message.Format.FindLastDeath(message)!.Value.Queue.ShouldBe(new Utf8Name("q"));
        }
        Message converted = To091.Convert(message);
        PublishProperties.Read(converted.Properties);
        converted.Release();
        message.Release();
    }
}
