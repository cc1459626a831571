using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Arrays of maps and of strings, written and read item by item, as the deaths of a message are.</summary>
public class ArrayOfMapsTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        var writer = new ValueWriter(stackalloc byte[16]); // grows in the middle
        int array = writer.BeginArray(FormatCode.Map32);
        for (uint i = 0; i < 3; i++)
        {
            int map = writer.BeginMapItem();
            writer.WriteSymbol("keys"u8);
            int keys = writer.BeginArray(FormatCode.String32);
            writer.WriteStringItem("a"u8);
            writer.WriteStringItem("b"u8);
            writer.EndArray(keys, 2);
            writer.WriteSymbol("n"u8);
            writer.WriteUInt(i);
            writer.EndMapItem(map, 4);
        }
        writer.EndArray(array, 3);

        var reader = new ValueReader(writer.Written);
        ArrayReader maps = reader.ReadArray();
        reader.IsAtEnd.ShouldBeTrue();
        (maps.Count, maps.Code, maps.IsDescribed, maps.IsEmptyKind).ShouldBe((3, FormatCode.Map32, false, false));
        for (uint i = 0; i < 3; i++)
        {
            ValueReader.ReadCompound(maps.Code, maps.ReadBytes(), out ValueReader items).ShouldBe(4);
            items.ReadSymbol().SequenceEqual("keys"u8).ShouldBeTrue();
            ArrayReader keys = items.ReadArray();
            keys.ReadBytes()[4..].SequenceEqual("a"u8).ShouldBeTrue();
            keys.ReadBytes()[4..].SequenceEqual("b"u8).ShouldBeTrue();
            items.ReadSymbol().SequenceEqual("n"u8).ShouldBeTrue();
            items.ReadUInt().ShouldBe(i);
            items.IsAtEnd.ShouldBeTrue();
        }
        writer.Dispose();
    }

    [Fact]
    public void What_is_taken_back_was_not_written()
    {
        var writer = new ValueWriter(stackalloc byte[64]);
        writer.WriteUInt(1);
        int size = writer.Size;
        int array = writer.BeginArray(FormatCode.String32);
        writer.EndArray(array, 0);
        writer.CutTo(size);
        writer.WriteNull();
        writer.Written.SequenceEqual((ReadOnlySpan<byte>)[0x52, 0x01, 0x40]).ShouldBeTrue();
    }

    [Fact]
    public void Compound_values_of_an_array_are_checked_as_others_are()
    {
        ValueReader.ReadCompound(FormatCode.UInt, [], out _).ShouldBe(0);
        ValueReader.ReadArray(FormatCode.UInt, []).Count.ShouldBe(0);
        Should.Throw<DecodeException>(() => ValueReader.ReadCompound(FormatCode.List8, [3, 9, 0x40, 0x40], out _));
        Should.Throw<DecodeException>(() => ValueReader.ReadCompound(FormatCode.Map32, [0, 0, 0, 9, 0, 0, 0, 0], out _));
        Should.Throw<DecodeException>(() => ValueReader.ReadArray(FormatCode.Array8, [3, 9, 0x50, 0x40]));
    }
}
