using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Arrays of every kind, and those that announce more than they hold (1.0 part 1, section 1.6.24).</summary>
public sealed class ArrayReaderTests
{
    public static TheoryData<byte, int> FixedKinds
    {
        get
        {
            var kinds = new TheoryData<byte, int>();
            foreach ((byte code, int size) in ValueGen.FixedKinds) kinds.Add(code, size);
            return kinds;
        }
    }

    [Theory, MemberData(nameof(FixedKinds))]
    public void Items_of_fixed_width(byte code, int size)
    {
        byte[][] items = [.. Enumerable.Range(0, 3).Select(i => Enumerable.Repeat((byte)(i % 2), size).ToArray())];
        AssertHolds(ReferenceValues.SmallArray([code], items), [code], items);
        AssertHolds(ReferenceValues.LargeArray([code], items), [code], items);
    }

    [Theory]
    [InlineData("A0", "00 0161 020000")]
    [InlineData("A1", "00 0161 020000")]
    [InlineData("A3", "00 0161 020000")]
    [InlineData("B0", "00000000 0000000161 000000020000")]
    [InlineData("B1", "00000000 0000000161")]
    [InlineData("B3", "00000000 0000000161")]
    [InlineData("C0", "0100 020140 03024142")]
    [InlineData("D0", "0000000400000000 000000050000000140")]
    [InlineData("C1", "0100 03024041")]
    [InlineData("D1", "0000000400000000 00000006000000024041")]
    [InlineData("E0", "0100 03015040 0401A30161")]
    [InlineData("F0", "0000000400000000 000000060000000150FF")]
    [InlineData("00532445", "  ")] // three times accepted, which has no bytes
    [InlineData("00A30361626352", "07 FF")]
    [InlineData("00800000468C00000004A1", "00 0161")]
    public void Items_of_any_width_and_with_a_descriptor(string constructorInHex, string itemsInHex)
    {
        byte[] constructor = Convert.FromHexString(constructorInHex);
        byte[][] items = [.. itemsInHex.Split(' ').Select(Convert.FromHexString)];
        AssertHolds(ReferenceValues.SmallArray(constructor, items), constructor, items);
        AssertHolds(ReferenceValues.LargeArray(constructor, items), constructor, items);
    }

    [Fact]
    public void Arrays_in_arrays_in_arrays()
    {
        byte[] array = ReferenceValues.SmallArray([0x50], [1], [2]);
        for (int depth = 1; depth < ValueReader.DepthMax - 1; depth++) array = ReferenceValues.SmallArray([0xe0], array[1..]);
        ValueWalk.Describe(array).ShouldEndWith("<ubyte 1, ubyte 2>" + new string('>', ValueReader.DepthMax - 2));
    }

    [Theory]
    [InlineData("E00100")]
    [InlineData("E002 0040")]
    [InlineData("E002 00A3")]
    [InlineData("F000000004 00000000")]
    [InlineData("F000000005 00000000B3")]
    public void An_array_may_be_empty(string hex)
    {
        ArrayReader array = new ValueReader(Bytes(hex)).ReadArray();
        array.Count.ShouldBe(0);
        Should.Throw<DecodeException>(() => ReadOneMore(Bytes(hex)));
    }

    [Theory]
    [InlineData("E000")] // no count
    [InlineData("F000000003 000000")]
    [InlineData("E00101")] // no constructor
    [InlineData("E0020100")]
    [InlineData("E003010053")]
    [InlineData("E00401005324")]
    [InlineData("E00201A3")] // fewer bytes than items
    [InlineData("E0030250 01")]
    [InlineData("E00301A3 02")]
    [InlineData("E0030110 00")] // no constructor that there is
    [InlineData("E008010053240053 2445")] // described twice
    [InlineData("F000000006 FFFFFFFF 5001")]
    [InlineData("F000000006 7FFFFFFF 5001")]
    [InlineData("F000000006 80000000 5001")]
    public void An_array_that_holds_less_than_it_says_is_refused(string hex) => Should.Throw<DecodeException>(() => ValueWalk.Describe(Bytes(hex)));

    [Theory]
    [InlineData(0x40)]
    [InlineData(0x41)]
    [InlineData(0x42)]
    [InlineData(0x43)]
    [InlineData(0x44)]
    [InlineData(0x45)]
    public void A_huge_array_of_nothing_is_refused_before_its_items_are_read(byte code)
    {
        byte[] Announcing(uint count) => [0xf0, 0, 0, 0, 5, .. ReferenceValues.Number(count, 4), code];
        new ValueReader(Announcing(ValueReader.EmptyItemsMax)).ReadArray().Count.ShouldBe(ValueReader.EmptyItemsMax);
        foreach (uint count in (uint[])[ValueReader.EmptyItemsMax + 1, 65_536, int.MaxValue, 0x8000_0000, uint.MaxValue])
            Should.Throw<DecodeException>(() => new ValueReader(Announcing(count)).ReadArray());
        byte[] described = [0xf0, 0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x00, 0x53, 0x24, code];
        Should.Throw<DecodeException>(() => new ValueReader(described).ReadArray());
    }

    [Fact]
    public void An_item_has_to_fit_the_scratch()
    {
        byte[] array = ReferenceValues.SmallArray([0xa0], [4, 1, 2, 3, 4]);
        new ValueReader(array).ReadArray().ReadItem(new byte[6]).ToArray().ShouldBe([0xa0, 4, 1, 2, 3, 4]);
        Should.Throw<DecodeException>(() => new ValueReader(array).ReadArray().ReadItem(new byte[5]));
    }

    [Fact]
    public void Symbols_are_read_from_arrays_of_symbols_alone()
    {
        ArrayReader array = new ValueReader(ReferenceValues.LargeArray([0xb3], [0, 0, 0, 1, (byte)'a'])).ReadArray();
        array.HoldsSymbols.ShouldBeTrue();
        array.ReadSymbol().ToArray().ShouldBe("a"u8.ToArray());
        array.Count.ShouldBe(0);
        Should.Throw<DecodeException>(() => new ValueReader(ReferenceValues.SmallArray([0xa1], [1, (byte)'a'])).ReadArray().ReadSymbol());
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static void ReadOneMore(byte[] bytes) => new ValueReader(bytes).ReadArray().ReadItem(new byte[16]);

    private static void AssertHolds(byte[] encoded, byte[] constructor, byte[][] items)
    {
        var reader = new ValueReader(encoded);
        ArrayReader array = reader.ReadArray();
        reader.IsAtEnd.ShouldBeTrue();
        array.Count.ShouldBe(items.Length);
        ((byte)array.Code).ShouldBe(constructor[^1]);
        array.IsDescribed.ShouldBe(constructor.Length > 1);
        byte[] scratch = new byte[256];
        for (int i = 0; i < items.Length; i++)
        {
            ArrayReader same = array;
            same.ReadBytes().ToArray().ShouldBe(items[i]);
            array.ReadItem(scratch).ToArray().ShouldBe([.. constructor, .. items[i]]);
            array.Count.ShouldBe(items.Length - i - 1);
        }
        ValueWalk.Describe(encoded).ShouldStartWith("<");
    }
}
