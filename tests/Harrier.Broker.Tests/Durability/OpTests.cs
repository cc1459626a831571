using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Shouldly;
using Xunit;
using Harrier.TestSupport;

namespace Harrier.Broker.Tests.Durability;

/// <summary>What is written as ops is read as what it was, and what is no op is refused.</summary>
public class OpTests
{
    [Fact]
    public void Numbers_come_back()
    {
        var random = new Random(1);
        ulong[] numbers = [0, 1, 127, 128, 16383, 16384, long.MaxValue, ulong.MaxValue, .. Enumerable.Range(0, 500).Select(i => (ulong)random.NextInt64() >> (i % 64))];
        byte[] bytes = Written(writer =>
        {
            foreach (ulong number in numbers)
            {
                writer.Number(number);
                writer.Fixed((long)number);
            }
        });
        var reader = new OpReader(bytes);
        foreach (ulong number in numbers)
        {
            reader.Number().ShouldBe(number);
            reader.Fixed().ShouldBe((long)number);
        }
        reader.IsAtEnd.ShouldBeTrue();
    }

    [Fact]
    public void Bytes_and_texts_come_back_whatever_their_size()
    {
        foreach (int size in (int[])[0, 1, 127, 128, 5000, 1 << 20])
        {
            byte[] content = new byte[size];
            new Random(size).NextBytes(content);
            byte[] bytes = Written(writer =>
            {
                writer.Byte(7);
                writer.Bytes(content);
                writer.Text(new string('é', size));
            });
            var reader = new OpReader(bytes);
            reader.Byte().ShouldBe((byte)7);
            reader.Bytes().SequenceEqual(content).ShouldBeTrue();
            reader.Text().ShouldBe(new string('é', size));
            reader.IsAtEnd.ShouldBeTrue();
        }
    }

    [Fact]
    public void What_is_cut_short_is_refused()
    {
        byte[] bytes = Written(writer =>
        {
            writer.Number(300);
            writer.Fixed(1);
            writer.Text("text");
        });
        for (int length = 0; length < bytes.Length; length++)
            Should.Throw<DataDamagedException>(() =>
            {
                var reader = new OpReader(bytes.AsSpan(0, length));
                reader.Number();
                reader.Fixed();
                reader.Text();
            }, $"cut at {length}");
    }

    [Fact]
    public void Numbers_that_do_not_end_and_counts_beyond_the_end_are_refused()
    {
        Should.Throw<DataDamagedException>(() => new OpReader([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]).Number());
        Should.Throw<DataDamagedException>(() => new OpReader([0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0]).Count());
        Should.Throw<DataDamagedException>(() => new OpReader([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0]).Bytes().Length);
    }

    [Fact]
    public void Arguments_come_back_with_kinds_and_order() => Properties.ForAll(Tables(3), table =>
    {
        byte[] bytes = Written(writer => ArgumentCodec.Write(writer, table));
        var reader = new OpReader(bytes);
        ArgumentTable found = ArgumentCodec.Read(ref reader);
        reader.IsAtEnd.ShouldBeTrue();
        Written(writer => ArgumentCodec.Write(writer, found)).ShouldBe(bytes);
        found.ShouldBe(table);
        Kinds(found).ShouldBe(Kinds(table));
    });

    [Fact]
    public void Arguments_that_nest_too_deep_or_are_of_no_kind_are_refused()
    {
        ArgumentTable table = ArgumentTable.Empty;
        for (int i = 0; i < 200; i++) table = new ArgumentTable(new Argument("a", ArgumentValue.Of(table)));
        Should.Throw<DataDamagedException>(() => Read(Written(writer => ArgumentCodec.Write(writer, table))));
        ArgumentValue array = ArgumentValue.Of(1);
        for (int i = 0; i < 200; i++) array = ArgumentValue.Of([array]);
        Should.Throw<DataDamagedException>(() => Read(Written(writer => ArgumentCodec.Write(writer, new ArgumentTable(new Argument("a", array))))));
        Should.Throw<DataDamagedException>(() => Read([1, 1, (byte)'a', 99]));
    }

    [Fact]
    public void A_virtual_host_comes_back_as_it_was()
    {
        var queues = new QueueFactory(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1));
        VirtualHostTopology topology = VirtualHostTopology.Create("/");
        ArgumentTable arguments = new(new Argument("x-max-priority", ArgumentValue.Of(3)), new Argument("t", ArgumentValue.Of("ü")));
        Queue kept = queues.Create("/", new QueueDefinition("kept", QueueType.Quorum, true, false, true, arguments), QueueSettings.None, null);
        Queue lost = queues.Create("/", new QueueDefinition("lost", QueueType.Classic, false, false, false, ArgumentTable.Empty), QueueSettings.None, null);
        Policy.TryCreate(PolicyKind.Operator, Drafts.Of("max-length=5 overflow=drop-head", "ö", "^k", "streams", long.MinValue), out Policy? policy, out _);
        TopologyOp[] ops =
        [
            new PolicySet(policy!),
            new ExchangeDeclared(Exchange.Create("e", ExchangeType.Headers, true, true, true, arguments)),
            new ExchangeDeclared(Exchange.Create("gone", ExchangeType.Topic, false, false, false, ArgumentTable.Empty)),
            new QueueDeclared(kept), new QueueDeclared(lost),
            new BindingAdded(new Binding("e", new Destination(kept), "key", arguments)),
            new BindingAdded(new Binding("amq.topic", new Destination(kept), "#", ArgumentTable.Empty)),
            new BindingAdded(new Binding("amq.topic", new Destination((Utf8Name)"e"), "#", ArgumentTable.Empty)),
            new BindingAdded(new Binding("gone", new Destination(kept), "key", ArgumentTable.Empty)),
            new BindingAdded(new Binding("e", new Destination(lost), "key", ArgumentTable.Empty)),
        ];
        foreach (TopologyOp op in ops) topology = TopologyMachine.Apply(topology, op);
        byte[] bytes = Written(writer => TopologyOpCodec.WriteAll(writer, topology));

        var image = new TopologyImage(new QueueFactory(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1)));
        var reader = new OpReader(bytes);
        image.Apply(ref reader);
        VirtualHostTopology found = image.VirtualHosts["/"];
        found.Exchanges.Keys.Select(name => name.ToString()).Where(name => name.Length > 0 && !name.StartsWith("amq.", StringComparison.Ordinal)).ShouldBe(["e"]);
        Exchange exchange = found.Exchanges["e"];
        (exchange.Type, exchange.IsAutoDelete, exchange.IsInternal, exchange.IsDurable).ShouldBe((ExchangeType.Headers, true, true, true));
        exchange.Arguments.ShouldBe(arguments);
        Queue queue = found.Queues.Values.Single();
        queue.Definition.ShouldBe(kept.Definition with { Name = queue.Name, Arguments = queue.Definition.Arguments });
        queue.Definition.Arguments.ShouldBe(arguments);
        queue.Id.ShouldBe(kept.Id);
        Policy readBack = found.Policies.Of(PolicyKind.Operator).Single();
        (readBack.Name, readBack.Pattern.Text, readBack.AppliesTo, readBack.Priority).ShouldBe(("ö", "^k", PolicyTarget.Streams, long.MinValue));
        readBack.Definition.ShouldBe(policy!.Definition);
        found.BindingsBySource.Values.SelectMany(b => b).Count().ShouldBe(3, "those of which both ends are durable");
        Written(writer => TopologyOpCodec.WriteAll(writer, found)).Length.ShouldBe(bytes.Length);
    }

    [Theory]
    [InlineData(2, "^k", 0)]
    [InlineData(0, "(", 0)]
    [InlineData(0, "^k", 6)]
    public void A_policy_that_cannot_be_one_is_refused(byte kind, string pattern, byte target)
    {
        byte[] bytes = Written(writer =>
        {
            writer.Byte((byte)TopologyOpCode.PolicySet);
            foreach (string text in (string[])["/", "", "p", pattern])
            {
                if (text.Length == 0) writer.Byte(kind);
                else writer.Text(text);
            }
            writer.Byte(target);
            writer.Fixed(0);
            ArgumentCodec.Write(writer, Drafts.Table("max-length=5"));
        });
        Should.Throw<DataDamagedException>(() =>
        {
            var reader = new OpReader(bytes);
            new TopologyImage(new QueueFactory(new ShardSet(NoStore.Instance, TimeProvider.System), new Random(1))).Apply(ref reader);
        }).Message.ShouldBe("the log holds a policy 'p' that this Harrier does not understand");
    }

    [Fact]
    public void Messages_come_back_and_everything_shorter_is_refused()
    {
        var formats = new MessageFormats(new PlainFormat());
        foreach (bool isPersistent in (bool[])[true, false])
            foreach (int bodySize in (int[])[0, 1, 100_000])
            {
                Message message = Message.Rent(new PlainFormat(), "exchange"u8, "key"u8, [1, 2, 3], bodySize);
                byte[] body = new byte[bodySize];
                new Random(bodySize).NextBytes(body);
                message.AppendBody(body, bodySize);
                message.IsPersistent = isPersistent;
                byte[] bytes = new byte[StoredMessage.SizeOf(message)];
                StoredMessage.Write(bytes, message);
                Message found = StoredMessage.Read(bytes, formats);
                found.Content.SequenceEqual(message.Content).ShouldBeTrue();
                found.ExchangeBytes.SequenceEqual("exchange"u8).ShouldBeTrue();
                found.RoutingKeyBytes.SequenceEqual("key"u8).ShouldBeTrue();
                found.Properties.SequenceEqual(message.Properties).ShouldBeTrue();
                found.IsPersistent.ShouldBe(isPersistent);
                TestMessages.References(found).ShouldBe(1);
                for (int length = 0; length < 8 + 8 + 3 + 3; length++) Should.Throw<DataDamagedException>(() => StoredMessage.Read(bytes.AsSpan(0, length), formats));
                Should.Throw<DataDamagedException>(() => StoredMessage.Read(bytes, new MessageFormats())).Message.ShouldContain("format");
                message.Release();
                found.Release();
            }
    }

    private static ArgumentTable Read(byte[] bytes)
    {
        var reader = new OpReader(bytes);
        return ArgumentCodec.Read(ref reader);
    }

    private static byte[] Written(Action<OpWriter> write)
    {
        var unit = new LogUnit();
        write(new OpWriter(unit));
        return unit.Ops.ToArray();
    }

    private static List<ArgumentKind> Kinds(ArgumentTable table) => [.. table.SelectMany(field => Kinds(field.Value))];

    private static List<ArgumentKind> Kinds(ArgumentValue value) => value.Kind switch
    {
        ArgumentKind.Array => [value.Kind, .. value.Items.SelectMany(Kinds)],
        ArgumentKind.Table => [value.Kind, .. Kinds(value.Table)],
        _ => [value.Kind],
    };

    private static Gen<ArgumentTable> Tables(int depth) =>
        from names in Gen.Choose(0, 1000).ArrayOf(4)
        from count in Gen.Choose(0, 4)
        from values in Values(depth).ArrayOf(4)
        select new ArgumentTable([.. names.Zip(values, (name, value) => new Argument($"é{name}", value)).DistinctBy(field => field.Name).Take(count)]);

    private static Gen<ArgumentValue> Values(int depth)
    {
        Gen<ArgumentValue> integers =
            from kind in Gen.Elements(
                ArgumentKind.Boolean, ArgumentKind.SignedByte, ArgumentKind.UnsignedByte, ArgumentKind.SignedShort, ArgumentKind.UnsignedShort, ArgumentKind.SignedInt,
                ArgumentKind.UnsignedInt, ArgumentKind.SignedLong, ArgumentKind.Timestamp)
            from number in Gen.Elements(0L, 1L, -1L, 255L, 65536L, long.MinValue, long.MaxValue)
            select ArgumentValue.OfInteger(kind, number);
        Gen<ArgumentValue> reals =
            from kind in Gen.Elements(ArgumentKind.Float, ArgumentKind.Double)
            from number in Gen.Elements(0.0, -1.5, 1e300, double.NaN, double.PositiveInfinity)
            select ArgumentValue.OfReal(kind, number);
        Gen<ArgumentValue> bytes =
            from kind in Gen.Elements(ArgumentKind.Text, ArgumentKind.Bytes, ArgumentKind.Decimal)
            from content in Gen.Choose(0, 255).ArrayOf()
            select ArgumentValue.OfBytes(kind, [.. content.Select(b => (byte)b)]);
        Gen<ArgumentValue> simple = Gen.OneOf(integers, reals, bytes, Gen.Constant(default(ArgumentValue)));
        if (depth == 0) return simple;
        return Gen.OneOf(
            simple, simple, Values(depth - 1).ArrayOf(3).Select(ArgumentValue.Of), Tables(depth - 1).Select(ArgumentValue.Of));
    }
}
