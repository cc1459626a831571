using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Every primitive in each of its encodings, written by hand from 1.0 part 1, section 1.6.</summary>
public sealed class ValueReaderTests
{
    public static TheoryData<string, string> Vectors => new()
    {
        { "40", "null" },
        { "41", "true" },
        { "42", "false" },
        { "5601", "true" },
        { "5600", "false" },
        { "5000", "ubyte 0" },
        { "50FF", "ubyte 255" },
        { "600000", "ushort 0" },
        { "601234", "ushort 4660" },
        { "60FFFF", "ushort 65535" },
        { "43", "uint 0" },
        { "5200", "uint 0" },
        { "52FF", "uint 255" },
        { "7000000000", "uint 0" },
        { "7000000100", "uint 256" },
        { "70FFFFFFFF", "uint 4294967295" },
        { "44", "ulong 0" },
        { "5300", "ulong 0" },
        { "53FF", "ulong 255" },
        { "800000000000000100", "ulong 256" },
        { "80FFFFFFFFFFFFFFFF", "ulong 18446744073709551615" },
        { "5180", "byte -128" },
        { "517F", "byte 127" },
        { "618000", "short -32768" },
        { "617FFF", "short 32767" },
        { "5480", "int -128" },
        { "547F", "int 127" },
        { "7180000000", "int -2147483648" },
        { "717FFFFFFF", "int 2147483647" },
        { "55FF", "long -1" },
        { "557F", "long 127" },
        { "818000000000000000", "long -9223372036854775808" },
        { "817FFFFFFFFFFFFFFF", "long 9223372036854775807" },
        { "723FC00000", "float 1.5" },
        { "72FF800000", "float -Infinity" },
        { "82C000000000000000", "double -2" },
        { "827FF8000000000000", "double NaN" },
        { "7322500000", "other 7322500000" },
        { "7300000041", "other 7300000041" },
        { "7422500001", "other 7422500001" },
        { "842238000000000001", "other 842238000000000001" },
        { "9422080000000000000000000000000001", "other 9422080000000000000000000000000001" },
        { "8300000158EF1CF000", "timestamp 1481480400896" },
        { "83FFFFFFFFFFFFFFFF", "timestamp -1" },
        { "98F81D4FAE7DEC11D0A76500A0C91E6BF6", "uuid F81D4FAE7DEC11D0A76500A0C91E6BF6" },
        { "A000", "binary " },
        { "A003000102", "binary 000102" },
        { "B000000000", "binary " },
        { "B00000000200FF", "binary 00FF" },
        { "A100", "string " },
        { "A103C3A961", "string C3A961" },
        { "B10000000161", "string 61" },
        { "A300", "symbol " },
        { "A304616D7170", "symbol 616D7170" },
        { "B300000004616D7170", "symbol 616D7170" },
        { "45", "[]" },
        { "C00100", "[]" },
        { "C0040240A100", "[null, string ]" },
        { "D00000000400000000", "[]" },
        { "D0000000080000000340415207", "[null, true, uint 7]" },
        { "C0020145", "[[]]" },
        { "C10100", "{}" },
        { "C10602A3016B5207", "{symbol 6B, uint 7}" },
        { "D10000000800000002A3016B43", "{symbol 6B, uint 0}" },
        { "E00200A3", "<>" },
        { "E00602A301610162", "<symbol 61, symbol 62>" },
        { "F00000000D00000002700000000100000002", "<uint 1, uint 2>" },
        { "005324C00100", "@24 []" },
        { "00532445", "@24 []" },
        { "00800000468C00000004A10161", "@468c00000004 string 61" },
        { "00A312616D71703A7472616E736665723A6C69737445", "@14 []" },
        { "00A30358594A41", "@ffffffffffffffff true" },
        // From section 1.2: a described string, its descriptor a string as well.
        { "00A10355524CA107687474703A2F2F", "@? 00A10355524CA107687474703A2F2F" },
    };

    [Theory, MemberData(nameof(Vectors))]
    public void A_value_is_understood(string hex, string text) => ValueWalk.Describe(Convert.FromHexString(hex)).ShouldBe(text);

    [Theory, MemberData(nameof(Vectors))]
    public void What_follows_a_value_is_left(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);
        var reader = new ValueReader([.. bytes, 0x40, .. bytes]);
        reader.ReadValue().ToArray().ShouldBe(bytes);
        reader.TryReadNull().ShouldBeTrue();
        ValueWalk.Describe(reader.Rest).ShouldBe(text);
    }

    [Theory, MemberData(nameof(Vectors))]
    public void A_value_that_is_cut_at_any_byte_is_refused(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);
        for (int cut = 1; cut < bytes.Length; cut++)
            Should.Throw<DecodeException>(() => ValueWalk.Describe(bytes.AsSpan(0, cut)), $"{text} cut at {cut}");
    }

    [Theory]
    [InlineData("00")]
    [InlineData("0053")]
    [InlineData("005324")]
    [InlineData("00004040")] // a described descriptor
    [InlineData("5602")]
    [InlineData("10")]
    [InlineData("3F")]
    [InlineData("A0")]
    [InlineData("A001")]
    [InlineData("B080000000")]
    [InlineData("B0FFFFFFFF00")]
    [InlineData("C000")]
    [InlineData("C00101")] // more items than bytes
    [InlineData("C0020240")]
    [InlineData("D000000003000000")]
    [InlineData("D00000000400000001")]
    [InlineData("D000000005FFFFFFFF40")]
    [InlineData("D000000005800000FF40")]
    [InlineData("D0FFFFFFFF00000000")]
    [InlineData("C1020140")] // a key without a value
    [InlineData("C100")]
    public void What_is_no_value_is_refused(string hex) => Should.Throw<DecodeException>(() => ValueWalk.Describe(Convert.FromHexString(hex)));

    [Fact]
    public void A_value_has_as_many_descriptors_as_values_may_be_deep()
    {
        byte[] Described(int count) => [.. Enumerable.Repeat((byte[])[0x00, 0x44], count).SelectMany(d => d), 0x40];
        new ValueReader(Described(ValueReader.DepthMax)).ReadValue().Length.ShouldBe(2 * ValueReader.DepthMax + 1);
        Should.Throw<DecodeException>(() => new ValueReader(Described(ValueReader.DepthMax + 1)).Skip());
    }

    [Fact]
    public void Passing_over_a_value_does_not_look_inside()
    {
        byte[] deep = [0x40];
        for (int depth = 0; depth < 1000; depth++) deep = ReferenceValues.Compound(0xc0, deep);
        var reader = new ValueReader(deep);
        reader.Skip();
        reader.IsAtEnd.ShouldBeTrue();
    }

    [Theory, MemberData(nameof(Vectors))]
    public void A_value_of_another_type_is_refused(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);
        string type = text.Split(' ')[0];
        AssertRefused(bytes, type is "true" or "false", (ref reader) => reader.ReadBoolean());
        AssertRefused(bytes, type == "ubyte", (ref reader) => reader.ReadUByte());
        AssertRefused(bytes, type == "ushort", (ref reader) => reader.ReadUShort());
        AssertRefused(bytes, type == "uint", (ref reader) => reader.ReadUInt());
        AssertRefused(bytes, type == "ulong", (ref reader) => reader.ReadULong());
        AssertRefused(bytes, type == "float", (ref reader) => reader.ReadFloat());
        AssertRefused(bytes, type == "double", (ref reader) => reader.ReadDouble());
        AssertRefused(bytes, type == "timestamp", (ref reader) => reader.ReadTimestamp());
        AssertRefused(bytes, type == "uuid", (ref reader) => reader.ReadUuid());
        AssertRefused(bytes, type == "binary", (ref reader) => reader.ReadBinary());
        AssertRefused(bytes, type == "string", (ref reader) => reader.ReadString());
        AssertRefused(bytes, type == "symbol", (ref reader) => reader.ReadSymbol());
        AssertRefused(bytes, type is "string" or "symbol", (ref reader) => reader.ReadText());
        AssertRefused(bytes, text[0] == '[', (ref reader) => reader.ReadList(out _));
        AssertRefused(bytes, text[0] == '{', (ref reader) => reader.ReadMap(out _));
        AssertRefused(bytes, text[0] == '<', (ref reader) => reader.ReadArray());
        AssertRefused(bytes, text[0] == '@' && text[1] != '?', (ref reader) => reader.ReadDescriptor());
    }

    [Theory]
    [InlineData("50FF", 255)]
    [InlineData("60FFFF", 65_535)]
    [InlineData("43", 0)]
    [InlineData("5207", 7)]
    [InlineData("70FFFFFFFF", uint.MaxValue)]
    [InlineData("44", 0)]
    [InlineData("53FF", 255)]
    [InlineData("807FFFFFFFFFFFFFFF", long.MaxValue)]
    public void Whole_numbers_of_any_width_are_taken_as_one(string hex, long value) =>
        new ValueReader(Convert.FromHexString(hex)).ReadInteger().ShouldBe(value);

    [Theory]
    [InlineData("808000000000000000")] // more than a long holds
    [InlineData("8300000000000000FF")]
    [InlineData("7200000000")]
    [InlineData("41")]
    [InlineData("40")]
    public void What_is_no_whole_number_of_a_long_is_not(string hex) =>
        Should.Throw<DecodeException>(() => new ValueReader(Convert.FromHexString(hex)).ReadInteger());

    private delegate void Read(ref ValueReader reader);

    private static void AssertRefused(byte[] bytes, bool isTaken, Read read)
    {
        var reader = new ValueReader(bytes);
        try
        {
            read(ref reader);
            isTaken.ShouldBeTrue();
        }
        catch (DecodeException)
        {
            isTaken.ShouldBeFalse();
        }
    }
}
