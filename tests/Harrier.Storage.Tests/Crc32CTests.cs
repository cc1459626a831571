using System.Text;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests;

public class Crc32CTests
{
    [Theory]
    [InlineData("", 0x00000000u)]
    [InlineData("a", 0xC1D04330u)]
    [InlineData("abc", 0x364B3FB7u)]
    [InlineData("123456789", 0xE3069283u)]
    public void Known_texts_have_their_known_checksums(string text, uint crc) => Crc32C.Of(Encoding.ASCII.GetBytes(text)).ShouldBe(crc);

    /// <summary>RFC 3720, B.4.</summary>
    [Fact]
    public void Known_blocks_have_their_known_checksums()
    {
        Crc32C.Of(new byte[32]).ShouldBe(0x8A9136AAu);
        Crc32C.Of([.. Enumerable.Repeat((byte)0xFF, 32)]).ShouldBe(0x62A8AB43u);
        Crc32C.Of([.. Enumerable.Range(0, 32).Select(i => (byte)i)]).ShouldBe(0x46DD794Eu);
        Crc32C.Of([.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))]).ShouldBe(0x113FDB5Cu);
    }

    [Fact]
    public void A_checksum_can_be_continued_at_every_byte()
    {
        byte[] bytes = new byte[100];
        new Random(1).NextBytes(bytes);
        for (int at = 0; at <= bytes.Length; at++) Crc32C.Append(Crc32C.Of(bytes.AsSpan(..at)), bytes.AsSpan(at)).ShouldBe(Crc32C.Of(bytes));
    }
}
