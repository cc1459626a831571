using System.Numerics;
using System.Text;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Messages;

public class StableHashTests
{
    /// <summary>The published FNV-1a values of these texts, mixed.</summary>
    [Theory]
    [InlineData("", 0xCBF29CE484222325)]
    [InlineData("a", 0xAF63DC4C8601EC8C)]
    [InlineData("foobar", 0x85944171F73967E8)]
    public void It_is_FNV_1a_mixed(string text, ulong fnv) => StableHash.Of(Encoding.UTF8.GetBytes(text)).ShouldBe(StableHash.Mix(fnv));

    [Fact]
    public void One_bit_of_input_changes_about_half_of_the_output()
    {
        int changed = 0;
        for (int i = 0; i < 64; i++) changed += BitOperations.PopCount(StableHash.Mix(12345) ^ StableHash.Mix(12345 ^ (1UL << i)));
        (changed / 64.0).ShouldBeInRange(28, 36);
    }
}
