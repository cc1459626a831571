using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>The elementary types, in any order, and bits that share octets.</summary>
public sealed class WireTests
{
    public enum Element
    {
        Bit,
        Octet,
        Short,
        Long,
        Longlong,
        Timestamp,
        Shortstr,
        Longstr,
        Raw,
    }

    [Fact]
    public void Any_elements_in_any_order_come_back()
    {
        // Bits are as likely as all others together: what matters is where runs of them begin and end.
        Gen<Element> element = Gen.OneOf(Gen.Constant(Element.Bit), Gen.Elements(Enum.GetValues<Element>()));
        Gen<(Element Type, ulong Number, Octets Text)[]> any =
            (from type in element from number in WireGen.Longlong from text in WireGen.Shortstr select (type, number, text)).ArrayOf();
        Property.Holds(any, elements =>
        {
            byte[] written = Write(elements);
            written.ShouldBe(Expected(elements));
            AssertRead(elements, written);
        }, 500);
    }

    [Theory]
    [InlineData(1, "01")]
    [InlineData(7, "7F")]
    [InlineData(8, "FF")]
    [InlineData(9, "FF01")]
    [InlineData(16, "FFFF")]
    [InlineData(17, "FFFF01")]
    public void Bits_fill_octets_from_the_lowest(int count, string expected)
    {
        byte[] bytes = new byte[(count + 7) / 8];
        var writer = new WireWriter(bytes);
        for (int i = 0; i < count; i++) writer.WriteBit(true);
        bytes.ShouldBe(Wire.Bytes(expected));

        var reader = new WireReader(bytes);
        for (int i = 0; i < count; i++) reader.ReadBit().ShouldBeTrue();
        reader.Remaining.ShouldBe(0);
    }

    [Fact]
    public void Bits_after_another_type_start_a_new_octet()
    {
        byte[] bytes = [0xAA, 0xAA, 0xAA]; // what was in the buffer before must not show
        var writer = new WireWriter(bytes);
        writer.WriteBit(true);
        writer.WriteOctet(7);
        writer.WriteBit(false);
        bytes.ShouldBe(Wire.Bytes("01 07 00"));

        var reader = new WireReader(bytes);
        reader.ReadBit().ShouldBeTrue();
        reader.ReadOctet().ShouldBe((byte)7);
        reader.ReadBit().ShouldBeFalse();
    }

    [Fact]
    public void The_longest_shortstr_has_255_octets()
    {
        byte[] bytes = new byte[300];
        new WireWriter(bytes).WriteShortstr(new byte[255]);
        bytes[0].ShouldBe((byte)255);
        Should.Throw<ArgumentException>(() => new WireWriter(bytes).WriteShortstr(new byte[256]));
    }

    [Theory]
    [InlineData(Element.Bit, "")]
    [InlineData(Element.Octet, "")]
    [InlineData(Element.Short, "00")]
    [InlineData(Element.Long, "000000")]
    [InlineData(Element.Longlong, "00000000000000")]
    [InlineData(Element.Timestamp, "00000000000000")]
    [InlineData(Element.Shortstr, "")]
    [InlineData(Element.Shortstr, "01")]
    [InlineData(Element.Shortstr, "FF61")]
    [InlineData(Element.Longstr, "000000")]
    [InlineData(Element.Longstr, "0000000261")]
    [InlineData(Element.Longstr, "7FFFFFFF61")]
    [InlineData(Element.Longstr, "8000000061")]
    [InlineData(Element.Longstr, "FFFFFFFF61")]
    [InlineData(Element.Raw, "0000")]
    public void A_value_that_ends_beyond_its_frame_is_a_frame_error(Element type, string bytes) => Should.Throw<AmqpProtocolException>(() =>
    {
        var reader = new WireReader(Wire.Bytes(bytes));
        Read(ref reader, type, rawSize: 3);
    }).Code.ShouldBe(ReplyCode.FrameError);

    private static byte[] Write((Element Type, ulong Number, Octets Text)[] elements)
    {
        byte[] buffer = new byte[elements.Length * 300];
        Array.Fill(buffer, (byte)0xAA);
        var writer = new WireWriter(buffer);
        foreach ((Element type, ulong number, Octets text) in elements)
        {
            switch (type)
            {
                case Element.Bit: writer.WriteBit((number & 1) != 0); break;
                case Element.Octet: writer.WriteOctet((byte)number); break;
                case Element.Short: writer.WriteShort((ushort)number); break;
                case Element.Long: writer.WriteLong((uint)number); break;
                case Element.Longlong: writer.WriteLonglong(number); break;
                case Element.Timestamp: writer.WriteTimestamp(number); break;
                case Element.Shortstr: writer.WriteShortstr(text); break;
                case Element.Longstr: writer.WriteLongstr(text); break;
                default: writer.WriteRaw(text); break;
            }
        }
        return buffer[..writer.Position];
    }

    private static byte[] Expected((Element Type, ulong Number, Octets Text)[] elements)
    {
        var writer = new ReferenceWriter();
        foreach ((Element type, ulong number, Octets text) in elements)
        {
            writer = type switch
            {
                Element.Bit => writer.Bit((number & 1) != 0),
                Element.Octet => writer.Octet((byte)number),
                Element.Short => writer.Short((ushort)number),
                Element.Long => writer.Long((uint)number),
                Element.Longlong => writer.Longlong(number),
                Element.Timestamp => writer.Timestamp(number),
                Element.Shortstr => writer.Shortstr(text),
                Element.Longstr => writer.Longstr(text),
                _ => writer.Raw(text),
            };
        }
        return writer.ToArray();
    }

    private static void AssertRead((Element Type, ulong Number, Octets Text)[] elements, byte[] written)
    {
        var reader = new WireReader(written);
        foreach ((Element type, ulong number, Octets text) in elements)
        {
            (ulong readNumber, Octets? readText) = Read(ref reader, type, text.Span.Length);
            if (readText is not null) readText.ShouldBe(text);
            else readNumber.ShouldBe(Masked(type, number));
        }
        reader.Remaining.ShouldBe(0);
        reader.Rest.IsEmpty.ShouldBeTrue();
    }

    private static (ulong Number, Octets? Text) Read(ref WireReader reader, Element type, int rawSize) => type switch
    {
        Element.Bit => (reader.ReadBit() ? 1ul : 0, null),
        Element.Octet => (reader.ReadOctet(), null),
        Element.Short => (reader.ReadShort(), null),
        Element.Long => (reader.ReadLong(), null),
        Element.Longlong => (reader.ReadLonglong(), null),
        Element.Timestamp => (reader.ReadTimestamp(), null),
        Element.Shortstr => (0, new Octets(reader.ReadShortstr())),
        Element.Longstr => (0, new Octets(reader.ReadLongstr())),
        _ => (0, new Octets(reader.ReadRaw(rawSize))),
    };

    private static ulong Masked(Element type, ulong number) => type switch
    {
        Element.Bit => number & 1,
        Element.Octet => (byte)number,
        Element.Short => (ushort)number,
        Element.Long => (uint)number,
        _ => number,
    };
}
