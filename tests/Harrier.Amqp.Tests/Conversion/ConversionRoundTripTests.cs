using FsCheck;
using FsCheck.Fluent;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>There and back again: what the tables of docs/conversion.md keep is kept.</summary>
public class ConversionRoundTripTests
{
    [Fact]
    public void From_0_9_1_and_back() => PropertySectionGen.ForAll(properties =>
    {
        Message message = Message.Rent(MessageFormat091.Instance, "x"u8, "k"u8, properties, 4);
        message.AppendBody("body"u8, 4);
        Message there = To10.Convert(message);
        PublishSections10.Read(there.Properties);
        Body10.Check(there.Body);
        Message back = To091.Convert(there);
        back.Body.ToArray().ShouldBe(message.Body.ToArray());
        // Ids that are no UTF-8 become headers.
        PropertySection.Read(back.Properties).HeaderTexts.Where(h => h.Split('=')[0] is not ("x-message-id" or "x-correlation-id"))
            .ShouldBe(Kept(PropertySection.Read(properties).Headers ?? []));
        CheckProperties(PropertySection.Read(properties).Others, PropertySection.Read(back.Properties).Others);
        // Soon nothing is lost any more.
        Message again = To091.Convert(To10.Convert(back));
        To091.Convert(To10.Convert(again)).Properties.ToArray().ShouldBe(again.Properties.ToArray());
    });

    [Fact]
    public void From_1_0_and_back() => Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Arb.From(Models), model =>
    {
        Message message = model.Sent.ToMessage();
        Message there = To091.Convert(message);
        PublishProperties.Read(there.Properties);
        Message back = To10.Convert(there);
        MessageModel10.Texts(back.Body).ShouldBe(MessageModel10.Texts(message.Body));
        MessageModel10.Texts(back.Properties).ShouldBe(MessageModel10.Texts(model.Kept.EncodePrefix()));
    }));

    // Some are left out (texts that 1.0 cannot have), two are kept always, and two may change: a delivery mode is 2 or 1, a timestamp ends where 1.0 ends.
    private static void CheckProperties(List<string> before, List<string> after)
    {
        after.ShouldContain(before.Contains("12: 02") ? "12: 02" : "12: 01");
        foreach (string bit in (string[])["11:", "9:"]) after.Where(p => IsOf(p, bit)).ShouldBe(before.Where(p => IsOf(p, bit)));
        after.Where(p => !IsOf(p, "12:") && !IsOf(p, "6:")).Except(before).ShouldBeEmpty();

        static bool IsOf(string property, string bit) => property.StartsWith(bit, StringComparison.Ordinal);
    }

    /// <summary>Annotations come first, then what were application properties; both in their order.</summary>
    private static string[] Kept(List<Header> headers)
    {
        var annotations = headers.Where(h => h.Name.StartsWith("x-", StringComparison.Ordinal) && h.Name != "x-death" || h.Name == "CC" && h.Text[0] == 'A');
        var others = headers.Where(h => !h.Name.StartsWith("x-", StringComparison.Ordinal) && h.Text[0] is not ('A' or 'F'));
        return [.. annotations.Concat(others).Select(Kept).OfType<string>()];
    }

    private static string? Kept(Header header)
    {
        byte[] bytes = header.Bytes[(1 + header.Name.Length)..];
        int at = 0;
        return Kept(bytes, ref at) is { } value ? $"{header.Name}={value}" : null;
    }

    // A value as PropertySection writes it, after both conversions; null when it is lost.
    private static string? Kept(byte[] bytes, ref int at)
    {
        char type = (char)bytes[at++];
        switch (type)
        {
            case 'A': return $"A [{string.Join(", ", KeptItems(bytes, ref at, isTable: false))}]";
            case 'F': return $"F {{{string.Join(", ", KeptItems(bytes, ref at, isTable: true))}}}";
            case 'D': at += 5; return null;
            case 'x': return $"S {System.Text.Encoding.Latin1.GetString(Take(bytes, ref at, (int)Number(bytes, ref at, 4)))}";
            case 'S': return $"S {System.Text.Encoding.Latin1.GetString(Take(bytes, ref at, (int)Number(bytes, ref at, 4)))}";
            case 't': return Number(bytes, ref at, 1) == 0 ? "t 0" : "t 1";
            case 'L': return $"l {Number(bytes, ref at, 8)}";
            case 'T': return $"T {Math.Clamp(Number(bytes, ref at, 8), long.MinValue / 1000, long.MaxValue / 1000)}";
            case 'V': return "V ";
            default:
                int size = type switch { 'b' or 'B' => 1, 's' or 'u' => 2, 'I' or 'i' or 'f' => 4, _ => 8 };
                byte[] value = Take(bytes, ref at, size);
                int from = 0;
                long number = Number(value, ref from, size);
                return type switch
                {
                    'f' or 'd' => $"{type} {Convert.ToHexString(value)}",
                    'b' => $"b {(sbyte)number}",
                    's' => $"s {(short)number}",
                    'I' => $"I {(int)number}",
                    _ => $"{type} {number}",
                };
        }
    }

    private static List<string> KeptItems(byte[] bytes, ref int at, bool isTable)
    {
        int size = (int)Number(bytes, ref at, 4);
        int end = at + size;
        var kept = new List<string>();
        while (at < end)
        {
            string name = isTable ? System.Text.Encoding.Latin1.GetString(Take(bytes, ref at, (int)Number(bytes, ref at, 1))) + "=" : "";
            if (Kept(bytes, ref at) is { } value) kept.Add(name + value);
        }
        return kept;
    }

    private static long Number(byte[] bytes, ref int at, int size)
    {
        long number = 0;
        foreach (byte octet in Take(bytes, ref at, size)) number = number << 8 | octet;
        return number;
    }

    private static byte[] Take(byte[] bytes, ref int at, int size)
    {
        at += size;
        return bytes[(at - size)..at];
    }

    /// <summary>A message, and what is left of it after both conversions.</summary>
    private sealed record Pair(MessageModel10 Sent, MessageModel10 Kept);

    private static Gen<Pair> Models =>
        from durable in Gen.Elements<object?>(true, false, null)
        from priority in Gen.Elements<object?>(null, (byte)0, (byte)255)
        from timeToLive in Gen.Elements<object?>(null, 0u, uint.MaxValue)
        from id in Gen.Elements<object?>("m", Guid.Empty, "ü", null)
        from userId in Gen.Elements<object?>("me"u8.ToArray(), null)
        from replyTo in Gen.Elements<object?>("/queues/a%2Fb", "/queues/q", "/exchanges/x/k", null)
        from contentType in Gen.Elements<object?>(new Symbol("a/b"), null)
        from created in Gen.Elements<object?>(new Timestamp(5000), null)
        from groupId in Gen.Elements<object?>("g", null)
        from annotations in Entries("x-a", "x-b", "x-opt-c")
        from application in Entries("a", "ü", "x")
        from isData in Gen.Elements(true, false)
        select new Pair(
            new MessageModel10
            {
                Header = new Items(durable, priority, timeToLive, true, 5u),
                Annotations = Pairs.Annotated([.. annotations.Select(e => (e.Key, e.Value.Sent))]),
                Properties = new Items(id, userId, "/queues/to", "subject", replyTo, id, contentType, null, new Timestamp(1), created, groupId, 7u),
                Application = Pairs.Named([.. application.Where(e => e.Value.IsSimple).Select(e => (e.Key, e.Value.Sent))]),
                Body = isData ? [(0x75, "body"u8.ToArray())] : [(0x77, "text"), (0x78, new Pairs())],
            },
            KeptOf(durable, priority, timeToLive, annotations, application) with
            {
                Properties = KeptOf(id, userId, null, null, replyTo, id, contentType, null, null, created, groupId),
            });

    private static MessageModel10 KeptOf(
        object? durable, object? priority, object? timeToLive, (string Key, Both Value)[] annotations, (string Key, Both Value)[] application)
    {
        (string Key, object? Value)[] keptAnnotations = [.. annotations.Where(e => !e.Value.IsLost).Select(e => (e.Key, e.Value.Kept))];
        (string Key, object? Value)[] keptApplication =
            [.. application.Where(e => e.Value is { IsSimple: true, IsLost: false }).Select(e => (e.Key, e.Value.Kept))];
        return new MessageModel10
        {
            Header = KeptOf(durable ?? false, priority, timeToLive),
            Annotations = keptAnnotations.Length == 0 ? null : Pairs.Annotated(keptAnnotations),
            Application = keptApplication.Length == 0 ? null : Pairs.Named(keptApplication),
        };
    }

    // Fields at the end that are null are not written, nor a section without fields.
    private static Items? KeptOf(params object?[] fields)
    {
        int count = Array.FindLastIndex(fields, f => f is not null) + 1;
        return count == 0 ? null : new Items(fields[..count]);
    }

    /// <summary>A value, and what is left of it after both conversions.</summary>
    private sealed record Both(object? Sent, object? Kept, bool IsSimple = true, bool IsLost = false);

    private static Gen<(string Key, Both Value)[]> Entries(params string[] keys) =>
        from values in Values(2).ArrayOf(keys.Length)
        from count in Gen.Choose(0, keys.Length)
        select keys.Zip(values).Take(count).ToArray();

    private static Gen<Both> Values(int depth)
    {
        Gen<Both> simple = Gen.Elements<Both>(
            new(null, null), new(true, true), new((byte)7, (byte)7), new((sbyte)-7, (sbyte)-7), new((ushort)7, (ushort)7), new((short)-7, (short)-7),
            new(7u, 7u), new(-7, -7), new(7ul, 7L), new(-7L, -7L), new(1.5f, 1.5f), new(-1.5, -1.5), new(new Timestamp(1999), new Timestamp(1000)),
            new(Guid.Empty, $"urn:uuid:{Guid.Empty}"), new(new byte[] { 0xFF }, new byte[] { 0xFF }), new("text"u8.ToArray(), "text"), new("ü", "ü"),
            new(new Symbol("s"), "s"), new(new string('l', 300), new string('l', 300)), new('c', null, IsLost: true), new(ulong.MaxValue, null, IsLost: true),
            new(new Raw("7401020304"), null, IsLost: true), new(new Described(1ul, 1), null, IsLost: true));
        if (depth == 0) return simple;
        Gen<Both[]> inner = Values(depth - 1).ArrayOf(3);
        return Gen.OneOf(
            simple,
            inner.Select(items => new Both(
                new Items([.. items.Select(i => i.Sent)]), new Items([.. items.Where(i => !i.IsLost).Select(i => i.Kept)]), IsSimple: false)),
            inner.Select(items => new Both(
                Pairs.Named([.. items.Select((item, i) => ($"k{i}", item.Sent))]),
                Pairs.Annotated([.. items.Select((item, i) => (Key: $"k{i}", item)).Where(e => !e.item.IsLost).Select(e => (e.Key, e.item.Kept))]),
                IsSimple: false)),
            Gen.Constant(new Both(new Same(0x71, 1, 2), new Items(1, 2), IsSimple: false)));
    }
}
