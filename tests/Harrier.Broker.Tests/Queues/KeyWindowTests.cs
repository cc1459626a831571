using Harrier.Broker.Queues;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Queues;

public class KeyWindowTests
{
    [Fact]
    public void A_key_that_comes_again_is_the_newest()
    {
        var window = new KeyWindow();
        foreach (byte key in (byte[])[1, 2, 1, 3]) window.Add([key], long.MaxValue, sizeMax: 2, nowMs: 0);
        window.Contains([1], 0).ShouldBeTrue();
        window.Contains([2], 0).ShouldBeFalse();
        window.Contains([3], 0).ShouldBeTrue();
        window.Keys.Select(each => each.Key[0]).ShouldBe([1, 3]);
    }
}
