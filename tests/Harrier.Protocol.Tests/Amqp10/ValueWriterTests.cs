using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Values are written in their shortest form, however much room there was in the beginning.</summary>
public sealed class ValueWriterTests
{
    [Fact]
    public void Numbers_take_their_shortest_form()
    {
        Property.Holds(ValueGen.Uint, n => Written((ref w) => w.WriteUInt(n)).ShouldBe(ReferenceValues.UInt(n)));
        Property.Holds(ValueGen.Ulong, n => Written((ref w) => w.WriteULong(n)).ShouldBe(ReferenceValues.ULong(n)));
        Property.Holds(ValueGen.Ubyte, n => Written((ref w) => w.WriteUByte(n)).ShouldBe([0x50, n]));
        Property.Holds(ValueGen.Ushort, n => Written((ref w) => w.WriteUShort(n)).ShouldBe([0x60, .. ReferenceValues.Number(n, 2)]));
        Property.Holds(ValueGen.Timestamp, n => Written((ref w) => w.WriteTimestamp(n)).ShouldBe([0x83, .. ReferenceValues.Number((ulong)n, 8)]));
    }

    [Theory]
    [InlineData(0, "5400", "5500")]
    [InlineData(-1, "54FF", "55FF")]
    [InlineData(127, "547F", "557F")]
    [InlineData(128, "7100000080", "810000000000000080")]
    [InlineData(-128, "5480", "5580")]
    [InlineData(-129, "71FFFFFF7F", "81FFFFFFFFFFFFFF7F")]
    [InlineData(int.MaxValue, "717FFFFFFF", "81000000007FFFFFFF")]
    [InlineData(int.MinValue, "7180000000", "81FFFFFFFF80000000")]
    public void Signed_numbers_too(int value, string asInt, string asLong)
    {
        Convert.ToHexString(Written((ref w) => w.WriteInt(value))).ShouldBe(asInt);
        Convert.ToHexString(Written((ref w) => w.WriteLong(value))).ShouldBe(asLong);
    }

    [Fact]
    public void The_other_fixed_widths()
    {
        Written((ref w) => w.WriteNull()).ShouldBe([0x40]);
        Written((ref w) => w.WriteBoolean(true)).ShouldBe([0x41]);
        Written((ref w) => w.WriteBoolean(false)).ShouldBe([0x42]);
        Written((ref w) => w.WriteByte(-2)).ShouldBe([0x51, 0xfe]);
        Written((ref w) => w.WriteShort(-2)).ShouldBe([0x61, 0xff, 0xfe]);
        Written((ref w) => w.WriteFloat(1.5f)).ShouldBe([0x72, 0x3f, 0xc0, 0, 0]);
        Written((ref w) => w.WriteDouble(-2)).ShouldBe([0x82, 0xc0, 0, 0, 0, 0, 0, 0, 0]);
        byte[] uuid = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        Written((ref w) => w.WriteUuid(uuid)).ShouldBe([0x98, .. uuid]);
        Written((ref w) => w.WriteDescriptor(0x24)).ShouldBe([0x00, 0x53, 0x24]);
        Written((ref w) => w.WriteDescriptor(0)).ShouldBe([0x00, 0x44]);
        Written((ref w) => w.WriteDescriptor(0x173)).ShouldBe([0x00, 0x80, 0, 0, 0, 0, 0, 0, 1, 0x73]);
    }

    [Fact]
    public void Bytes_and_texts_of_any_size() => Property.Holds(ValueGen.Binary, octets =>
    {
        Written((ref w) => w.WriteBinary(octets)).ShouldBe(ReferenceValues.Variable(0xa0, octets));
        Written((ref w) => w.WriteString(octets)).ShouldBe(ReferenceValues.Variable(0xa1, octets));
        Written((ref w) => w.WriteSymbol(octets)).ShouldBe(ReferenceValues.Variable(0xa3, octets));
        Written((ref w) => w.WriteRaw(octets)).ShouldBe(octets.Span.ToArray());
        byte[] head = ReferenceValues.Variable(0xa0, octets)[..^octets.Span.Length];
        Written((ref w) => w.WriteBinaryHead(octets.Span.Length)).ShouldBe(head);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(251)]
    [InlineData(252)] // with its head of two bytes, 254
    [InlineData(253)]
    [InlineData(254)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(70_000)]
    public void A_list_or_map_is_small_as_long_as_its_content_is(int size)
    {
        byte[] binary = new byte[size];
        byte[] item = ReferenceValues.Variable(0xa0, binary);
        Written((ref w) =>
        {
            int mark = w.BeginList();
            w.WriteBinary(binary);
            w.End(mark, 1);
        }).ShouldBe(ReferenceValues.Compound(0xc0, item));
        Written((ref w) =>
        {
            int mark = w.BeginMap();
            w.WriteNull();
            w.WriteBinary(binary);
            w.End(mark, 2);
        }).ShouldBe(ReferenceValues.Compound(0xc1, ReferenceValues.Null, item));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(253)]
    [InlineData(254)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(1000)]
    public void And_as_long_as_its_items_are_few(int count)
    {
        byte[][] items = [.. Enumerable.Repeat(ReferenceValues.Null, count)];
        Written((ref w) =>
        {
            int mark = w.BeginList();
            for (int i = 0; i < count; i++) w.WriteNull();
            w.End(mark, count);
        }).ShouldBe(ReferenceValues.Compound(0xc0, items));
    }

    [Fact]
    public void Lists_in_lists_are_moved_together_each()
    {
        byte[] expected = ReferenceValues.Compound(0xc0);
        for (int depth = 0; depth < 300; depth++) expected = ReferenceValues.Compound(0xc0, expected, ReferenceValues.UInt(7));
        Written((ref w) =>
        {
            int[] marks = new int[301];
            for (int i = 0; i < marks.Length; i++) marks[i] = w.BeginList();
            w.End(marks[^1], 0);
            for (int i = marks.Length - 2; i >= 0; i--)
            {
                w.WriteUInt(7);
                w.End(marks[i], 2);
            }
        }).ShouldBe(expected);
    }

    [Fact]
    public void An_empty_map_has_a_head() => Written((ref w) => w.End(w.BeginMap(), 0)).ShouldBe([0xc1, 1, 0]);

    [Fact]
    public void Symbols_are_an_array()
    {
        Written((ref w) => w.WriteSymbols("a", "", "bc")).ShouldBe(
            ReferenceValues.LargeArray([0xb3], [0, 0, 0, 1, (byte)'a'], [0, 0, 0, 0], [0, 0, 0, 2, (byte)'b', (byte)'c']));
        Written((ref w) => w.WriteSymbols()).ShouldBe(ReferenceValues.LargeArray([0xb3]));
        Written((ref w) => w.WriteSymbols("é\ud83d\ude00")).Length.ShouldBe(10 + 4 + 3, "what is no ASCII is replaced, one for one");
    }

    [Fact]
    public void Any_value_that_is_copied_item_by_item_says_the_same() => Property.Holds(ValueGen.Any, value =>
    {
        byte[] copied = Written((ref w) =>
        {
            var reader = new ValueReader(value);
            Copy(ref reader, ref w);
        });
        ValueWalk.Describe(copied).ShouldBe(ValueWalk.Describe(value));
        copied.Length.ShouldBeLessThanOrEqualTo(value.Span.Length);
    }, 1000);

    [Fact]
    public void A_composite_is_written_behind_others_and_into_no_room_at_all() => Written((ref w) =>
    {
        w.WriteUInt(1000);
        new Disposition { Role = Role.Receiver, First = 1, Settled = true }.Write(ref w);
        new Open { ContainerId = new byte[300] }.Write(ref w);
        new Accepted().Write(ref w);
    }).ShouldBe(
    [
        .. ReferenceValues.UInt(1000),
        0x00, 0x53, 0x15, 0xc0, 6, 4, 0x41, 0x52, 1, 0x40, 0x41,
        0x00, 0x53, 0x10, .. ReferenceValues.Compound(0xc0, ReferenceValues.Variable(0xa1, new byte[300])),
        0x00, 0x53, 0x24, 0x45,
    ]);

    [Fact]
    public void What_was_given_is_used_as_long_as_it_is_enough()
    {
        byte[] room = new byte[5];
        var writer = new ValueWriter(room);
        writer.WriteUInt(256);
        room.ShouldBe([0x70, 0, 0, 1, 0]);
        writer.WriteNull();
        room.ShouldBe([0x70, 0, 0, 1, 0]);
        writer.Written.ToArray().ShouldBe([0x70, 0, 0, 1, 0, 0x40]);
        writer.Dispose();
        writer.Size.ShouldBe(0);
    }

    private delegate void Write(ref ValueWriter writer);

    // The same whatever the size of the room that was given, so that it grows in the middle of each kind of value.
    private static byte[] Written(Write write)
    {
        byte[] first = Written(write, 0);
        foreach (int room in (int[])[.. Enumerable.Range(1, 16), first.Length, first.Length + 1000])
            Written(write, room).AsSpan().SequenceEqual(first).ShouldBeTrue($"what is written into room for {room} bytes is another");
        return first;
    }

    private static byte[] Written(Write write, int room)
    {
        var writer = new ValueWriter(new byte[room]);
        write(ref writer);
        writer.Size.ShouldBe(writer.Written.Length);
        byte[] written = writer.Written.ToArray();
        writer.Dispose();
        return written;
    }

    private static void Copy(ref ValueReader reader, ref ValueWriter writer)
    {
        switch (reader.Next)
        {
            case FormatCode.Described:
                writer.WriteDescriptor(reader.ReadDescriptor());
                Copy(ref reader, ref writer);
                break;
            case FormatCode.List0 or FormatCode.List8 or FormatCode.List32:
                int itemCount = reader.ReadList(out ValueReader items);
                int list = writer.BeginList();
                for (int i = 0; i < itemCount; i++) Copy(ref items, ref writer);
                writer.End(list, itemCount);
                break;
            case FormatCode.Map8 or FormatCode.Map32:
                int count = reader.ReadMap(out ValueReader pairs);
                int map = writer.BeginMap();
                for (int i = 0; i < count; i++) Copy(ref pairs, ref writer);
                writer.End(map, count);
                break;
            default: CopyPlain(ref reader, ref writer); break;
        }
    }

    private static void CopyPlain(ref ValueReader reader, ref ValueWriter writer)
    {
        switch (reader.Next)
        {
            case FormatCode.True or FormatCode.False or FormatCode.Boolean: writer.WriteBoolean(reader.ReadBoolean()); break;
            case FormatCode.UByte: writer.WriteUByte(reader.ReadUByte()); break;
            case FormatCode.UShort: writer.WriteUShort(reader.ReadUShort()); break;
            case FormatCode.UInt0 or FormatCode.SmallUInt or FormatCode.UInt: writer.WriteUInt(reader.ReadUInt()); break;
            case FormatCode.ULong0 or FormatCode.SmallULong or FormatCode.ULong: writer.WriteULong(reader.ReadULong()); break;
            case FormatCode.Byte: writer.WriteByte((sbyte)reader.ReadInteger()); break;
            case FormatCode.Short: writer.WriteShort((short)reader.ReadInteger()); break;
            case FormatCode.SmallInt or FormatCode.Int: writer.WriteInt((int)reader.ReadInteger()); break;
            case FormatCode.SmallLong or FormatCode.Long: writer.WriteLong(reader.ReadInteger()); break;
            case FormatCode.Timestamp: writer.WriteTimestamp(reader.ReadTimestamp()); break;
            case FormatCode.Uuid: writer.WriteUuid(reader.ReadUuid()); break;
            case FormatCode.Binary8 or FormatCode.Binary32: writer.WriteBinary(reader.ReadBinary()); break;
            case FormatCode.String8 or FormatCode.String32: writer.WriteString(reader.ReadString()); break;
            case FormatCode.Symbol8 or FormatCode.Symbol32: writer.WriteSymbol(reader.ReadSymbol()); break;
            default: writer.WriteRaw(reader.ReadValue()); break;
        }
    }
}
