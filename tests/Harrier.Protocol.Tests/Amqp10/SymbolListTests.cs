using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Fields that take several symbols come as nothing, one symbol or an array (1.0 part 1, section 1.4).</summary>
public sealed class SymbolListTests
{
    [Fact]
    public void Nothing_null_and_an_empty_array_are_the_same()
    {
        Read([]).ShouldBeEmpty();
        Read(ReferenceValues.Null).ShouldBeEmpty();
        Read(ReferenceValues.SmallArray([0xa3])).ShouldBeEmpty();
        Read([0xe0, 1, 0]).ShouldBeEmpty();
        SymbolList.Contains(default, "a"u8).ShouldBeFalse();
    }

    [Fact]
    public void One_symbol_is_a_list_of_one()
    {
        Read(ReferenceValues.Symbol("queue")).ShouldBe(["queue"]);
        Read(ReferenceValues.Symbol("")).ShouldBe([""]);
        SymbolList.Contains(ReferenceValues.Symbol("queue"), "queue"u8).ShouldBeTrue();
        SymbolList.Contains(ReferenceValues.Symbol("queue"), "queues"u8).ShouldBeFalse();
        SymbolList.Contains(ReferenceValues.Symbol("queue"), default).ShouldBeFalse();
    }

    [Fact]
    public void An_array_is_read_in_its_order()
    {
        var writer = new ValueWriter(new byte[64]);
        writer.WriteSymbols("queue", "", "topic");
        Read(writer.Written).ShouldBe(["queue", "", "topic"]);
        SymbolList.Contains(writer.Written, "topic"u8).ShouldBeTrue();
        SymbolList.Contains(writer.Written, "top"u8).ShouldBeFalse();
    }

    [Theory]
    [InlineData("A10161")] // a string
    [InlineData("43")]
    [InlineData("E00401A10161")] // an array of strings
    [InlineData("E0020140")] // of nulls
    [InlineData("E00602A3016102")] // one too short
    [InlineData("C00401A30161")]
    public void Anything_else_is_refused(string hex)
    {
        byte[] encoded = Convert.FromHexString(hex);
        Should.Throw<DecodeException>(() => Read(encoded));
        byte[] list = ReferenceValues.Compound(0xc0, encoded);
        Should.Throw<DecodeException>(() => AnyComposite.Reencode(Coordinator.Code, list));
    }

    private static string[] Read(ReadOnlySpan<byte> encoded)
    {
        var symbols = new List<string>();
        var list = new SymbolList(encoded);
        while (list.TryRead(out ReadOnlySpan<byte> symbol)) symbols.Add(System.Text.Encoding.ASCII.GetString(symbol));
        return [.. symbols];
    }
}
