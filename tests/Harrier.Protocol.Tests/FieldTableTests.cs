using System.Diagnostics;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Field tables: every type comes back as it was written, and no nesting or length makes reading them dear.</summary>
public sealed class FieldTableTests
{
    public static TheoryData<FieldType> Types => [.. FieldGen.Sizes.Keys];

    [Theory, MemberData(nameof(Types))]
    public void A_value_of_each_type_comes_back(FieldType type) =>
        Property.Holds(from name in WireGen.Bytes(0, 255) from value in FieldGen.Value(type, 3) select (name, value), field =>
        {
            byte[] content = field.value.Content();
            ReadOnlySpan<byte> written = new FieldTableWriter().Add(field.name, type, content).Written;
            written.ToArray().ShouldBe(new TableValue([(field.name, field.value)]).Encode());

            FieldTableReader.Validate(written);
            var reader = new FieldTableReader(written);
            reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value).ShouldBeTrue();
            new Octets(name).ShouldBe(field.name);
            value.Type.ShouldBe(type);
            new Octets(value.Bytes).ShouldBe(new Octets(content));
            reader.TryReadField(out _, out _).ShouldBeFalse();
        });

    [Fact]
    public void Any_table_comes_back() => Property.Holds(FieldGen.Table(4), table =>
    {
        byte[] encoded = table.Encode();
        FieldTableReader.Validate(encoded);
        FieldWalk.Reencode(encoded).ShouldBe(encoded);
    }, 500);

    [Fact]
    public void Any_table_is_written_as_it_was_read() => Property.Holds(FieldGen.Table(4), table =>
    {
        byte[] encoded = table.Encode();
        var writer = new FieldWriter(new byte[encoded.Length]);
        CopyFields(encoded, ref writer);
        writer.Written.ToArray().ShouldBe(encoded);
    });

    [Fact]
    public void Nested_values_that_are_written_piece_by_piece_have_their_lengths()
    {
        var writer = new FieldWriter(new byte[100]);
        int array = writer.Begin("a"u8, FieldType.Array);
        int table = writer.BeginItem(FieldType.Table);
        writer.AddText("s"u8, "text"u8);
        writer.End(table);
        writer.AddItem(new FieldValueBytes(FieldType.Boolean, [1]));
        writer.End(array);
        writer.AddLong("l"u8, FieldType.SignedLong, -2);
        writer.AddLong("t"u8, FieldType.Timestamp, 1_704_067_200);
        writer.Written.ToArray().ShouldBe(Wire.Bytes(
            "01'a' 'A' 00000012 'F' 0000000B 01's' 'S' 00000004'text' 't' 01  01'l' 'l' FFFFFFFFFFFFFFFE  01't' 'T' 0000000065920080"));
    }

    [Fact]
    public void Values_that_the_broker_writes_are_as_RabbitMQ_reads_them() => new FieldTableWriter()
        .Add("a", "text")
        .Add("b", true)
        .Add("c", -2)
        .Add("d", new FieldTableWriter().Add("e", false))
        .Written.ToArray().ShouldBe(Wire.Bytes("01'a' 'S' 00000004'text'  01'b' 't' 01  01'c' 'I' FFFFFFFE  01'd' 'F' 00000004 01'e' 't' 00"));

    [Theory]
    [InlineData("'t' 00", 0)]
    [InlineData("'t' 01", 1)]
    [InlineData("'t' 80", 1)]
    [InlineData("'b' FF", -1)]
    [InlineData("'B' FF", 255)]
    [InlineData("'s' 8000", short.MinValue)]
    [InlineData("'u' FFFF", 65_535)]
    [InlineData("'I' 80000000", int.MinValue)]
    [InlineData("'i' FFFFFFFF", uint.MaxValue)]
    [InlineData("'l' 8000000000000000", long.MinValue)]
    [InlineData("'L' FFFFFFFFFFFFFFFE", -2)]
    [InlineData("'T' 0000000065920080", 1_704_067_200)]
    public void Integers_have_their_sign_and_width(string value, long expected) => First(value).AsInteger().ShouldBe(expected);

    [Theory]
    [InlineData("'f' C0200000", -2.5)]
    [InlineData("'d' 400921FB54442D18", Math.PI)]
    public void Reals_are_IEEE_754(string value, double expected) => First(value).AsDouble().ShouldBe(expected);

    [Fact]
    public void The_first_field_of_a_name_is_found()
    {
        byte[] fields = Wire.Bytes("01'a' 'V'  02'ab' 'B' 01  02'ab' 'B' 02");
        FieldTableReader.TryFind(fields, "ab"u8, out FieldValueBytes value).ShouldBeTrue();
        value.AsInteger().ShouldBe(1);
        FieldTableReader.TryFind(fields, "b"u8, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("01'a' 'Z' 00", ReplyCode.SyntaxError)]
    [InlineData("01'a' 00", ReplyCode.SyntaxError)]
    [InlineData("01'a'", ReplyCode.FrameError)]
    [InlineData("05'a'", ReplyCode.FrameError)]
    [InlineData("01'a' 'I' 0000", ReplyCode.FrameError)]
    [InlineData("01'a' 'S' 00000005 'text'", ReplyCode.FrameError)]
    [InlineData("01'a' 'S' FFFFFFFF 'text'", ReplyCode.FrameError)]
    [InlineData("01'a' 'F' 7FFFFFFF 'text'", ReplyCode.FrameError)]
    [InlineData("01'a' 'A' 00000002 'I' 00", ReplyCode.FrameError)]
    [InlineData("01'a' 'A' 00000001 'Z'", ReplyCode.SyntaxError)]
    [InlineData("01'a' 'F' 00000003 01'b' 'Z'", ReplyCode.SyntaxError)]
    public void A_malformed_table_is_refused(string fields, ushort code) =>
        Should.Throw<AmqpProtocolException>(() => FieldTableReader.Validate(Wire.Bytes(fields))).Code.ShouldBe(code);

    [Theory]
    [InlineData((byte)'F')]
    [InlineData((byte)'A')]
    public void Nesting_is_accepted_down_to_the_limit_and_refused_below_it(byte type)
    {
        FieldTableReader.Validate(Nested(FieldTableReader.DepthMax, type));
        var e = Should.Throw<AmqpProtocolException>(() => FieldTableReader.Validate(Nested(FieldTableReader.DepthMax + 1, type)));
        e.Code.ShouldBe(ReplyCode.SyntaxError);
    }

    [Fact]
    public void Validating_allocates_nothing()
    {
        byte[] fields = Nested(FieldTableReader.DepthMax, (byte)'F');
        FieldTableReader.Validate(fields);
        long before = GC.GetAllocatedBytesForCurrentThread();
        FieldTableReader.Validate(fields);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    /// <summary>A megabyte, eight times the largest frame, of what costs most per octet; linear time is a few milliseconds.</summary>
    [Theory]
    [InlineData("'V'")]
    [InlineData("'A' 00000000")]
    [InlineData("'F' 00000000")]
    [InlineData("'A' 00000006 'A' 00000001 'V'")]
    public void Validating_the_costliest_values_ends_quickly(string value)
    {
        byte[] one = Wire.Bytes(value);
        byte[] items = [.. Enumerable.Repeat(one, (1 << 20) / one.Length).SelectMany(v => v)];
        var time = Stopwatch.StartNew();
        FieldTableReader.Validate(items, isArray: true);
        time.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_tower_of_tables_in_one_frame_is_refused_without_climbing_it()
    {
        byte[] tower = Nested(131_072 / 6, (byte)'F');
        Should.Throw<AmqpProtocolException>(() => FieldTableReader.Validate(tower)).Code.ShouldBe(ReplyCode.SyntaxError);
    }

    // Tables (or arrays) in each other; the outermost is a table and counts.
    private static byte[] Nested(int levels, byte type)
    {
        int fieldSize = type == (byte)'F' ? 6 : 5; // an empty name, the type, the length; items have no name
        byte[] fields = new byte[6 + (levels - 2) * fieldSize];
        var writer = new WireWriter(fields);
        for (int left = levels - 2; left >= 0; left--)
        {
            if (type == (byte)'F' || left == levels - 2) writer.WriteShortstr([]);
            writer.WriteOctet(type);
            writer.WriteLong((uint)(left * fieldSize));
        }
        return fields;
    }

    private static FieldValueBytes First(string value)
    {
        var reader = new FieldTableReader(Wire.Bytes(value));
        reader.TryReadItem(out FieldValueBytes read).ShouldBeTrue();
        return read;
    }

    private static void CopyFields(ReadOnlySpan<byte> fields, ref FieldWriter writer)
    {
        var reader = new FieldTableReader(fields);
        while (reader.TryReadField(out ReadOnlySpan<byte> name, out FieldValueBytes value))
        {
            if (value.Type is not (FieldType.Table or FieldType.Array))
            {
                writer.Add(name, value);
                continue;
            }
            int begun = writer.Begin(name, value.Type);
            if (value.Type == FieldType.Table) CopyFields(value.Bytes, ref writer);
            else CopyItems(value.Bytes, ref writer);
            writer.End(begun);
        }
    }

    private static void CopyItems(ReadOnlySpan<byte> items, ref FieldWriter writer)
    {
        var reader = new FieldTableReader(items);
        while (reader.TryReadItem(out FieldValueBytes item)) writer.AddItem(item);
    }
}
