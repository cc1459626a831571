using System.Text;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Messages;

public class Utf8NameTests
{
    [Fact]
    public void Names_are_equal_when_their_bytes_are()
    {
        var bytes = Gen.Choose(0, 2).Select(b => (byte)b).ArrayOf();
        Properties.ForAll(bytes.Zip(bytes), pair =>
        {
            var (a, b) = pair;
            byte[] elsewhere = [7, 7, .. b, 7];
            Utf8Name left = new(a), right = new(elsewhere, 2, b.Length);
            left.Equals(right).ShouldBe(a.AsSpan().SequenceEqual(b));
            if (left == right) left.GetHashCode().ShouldBe(right.GetHashCode());
            Math.Sign(left.CompareTo(right)).ShouldBe(Math.Sign(a.AsSpan().SequenceCompareTo(b)));
            (left < right).ShouldBe(left.CompareTo(right) < 0);
            (left > right).ShouldBe(left.CompareTo(right) > 0);
            (left != right).ShouldBe(!left.Equals(right));
        }, runs: 2_000, size: 4);
    }

    [Fact]
    public void The_default_is_the_empty_name()
    {
        Utf8Name none = default;
        none.ShouldBe(new Utf8Name(""));
        none.GetHashCode().ShouldBe(new Utf8Name("").GetHashCode());
        none.IsEmpty.ShouldBeTrue();
        none.ToString().ShouldBe("");
        none.Slice(..).ShouldBe(none);
    }

    [Fact]
    public void A_slice_is_a_name_of_its_own()
    {
        var name = new Utf8Name(Encoding.UTF8.GetBytes("xx one.two xx"), 3, 7);
        name.Slice(0..3).ShouldBe(new Utf8Name("one"));
        name.Slice(4..).ShouldBe(new Utf8Name("two"));
        name.Slice(4..).Slice(1..1).IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void A_name_made_of_a_span_does_not_change_with_it()
    {
        byte[] bytes = [97, 98];
        var name = new Utf8Name(bytes.AsSpan());
        bytes[0] = 0;
        name.ShouldBe(new Utf8Name("ab"));
    }

    [Fact]
    public void Any_bytes_are_a_name_and_can_be_shown()
    {
        var name = new Utf8Name([0xFF, 0x41]);
        name.ToString().ShouldBe("\uFFFDA");
        name.ShouldNotBe(new Utf8Name("\uFFFDA"));
        new Utf8Name("später 🦅").ToString().ShouldBe("später 🦅");
    }
}
