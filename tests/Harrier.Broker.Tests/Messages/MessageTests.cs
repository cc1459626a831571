using System.Diagnostics;
using System.Reflection;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Messages;

public class MessageTests
{
    [Fact]
    public void Its_parts_are_what_was_put_in()
    {
        Message message = Message.Rent(null!, "exchange"u8, "a.key"u8, [1, 2, 3], bodyCapacity: 4);
        message.AppendBody([4, 5], 5);
        message.AppendBody([6, 7, 8], 5);
        message.Exchange.ShouldBe(new Utf8Name("exchange"));
        message.RoutingKey.ShouldBe(new Utf8Name("a.key"));
        message.ExchangeBytes.ToArray().ShouldBe("exchange"u8.ToArray());
        message.RoutingKeyBytes.ToArray().ShouldBe("a.key"u8.ToArray());
        message.Properties.ToArray().ShouldBe([1, 2, 3]);
        message.Body.ToArray().ShouldBe([4, 5, 6, 7, 8]);
        (message.BodySize, message.Size).ShouldBe((5, 8 + 5 + 3 + 5));
        message.Release();
    }

    [Fact]
    public void A_copy_has_everything_but_the_address_and_the_properties()
    {
        PropertyInfo[] settable = [.. typeof(Message).GetProperties().Where(p => p.GetSetMethod() is not null)];
        object[] values = [true, 7L, (byte)3, new Utf8Name[] { "cc" }]; // none is what a new message has
        Message message = Message.Rent(null!, "exchange"u8, "key"u8, [1, 2, 3], bodyCapacity: 2);
        message.AppendBody([4, 5], 2);
        foreach (PropertyInfo property in settable) property.SetValue(message, values.Single(v => property.PropertyType.IsInstanceOfType(v)));
        Message copy = message.Copy("other"u8, "k"u8, [6]);
        message.Release();
        foreach (PropertyInfo property in settable) property.GetValue(copy).ShouldBe(values.Single(v => property.PropertyType.IsInstanceOfType(v)), property.Name);
        (copy.Exchange, copy.RoutingKey).ShouldBe(("other", "k"));
        copy.Properties.ToArray().ShouldBe([6]);
        copy.Body.ToArray().ShouldBe([4, 5]);
        copy.Release();
    }

    [Fact]
    public void A_body_in_pieces_is_whole_whatever_the_pieces() =>
        Properties.ForAllSequences(Gen.Choose(0, 9_000), pieces =>
        {
            byte[] body = new byte[pieces.Sum()];
            new Random(pieces.Length).NextBytes(body);
            Message message = Message.Rent(null!, "x"u8, "k"u8, [9], bodyCapacity: Math.Min(body.Length, 300));
            int at = 0;
            foreach (int piece in pieces)
            {
                message.AppendBody(body.AsSpan(at, piece), body.Length);
                at += piece;
            }
            message.Body.SequenceEqual(body).ShouldBeTrue();
            message.RoutingKey.ShouldBe(new Utf8Name("k"));
            message.Properties.ToArray().ShouldBe([9]);
            message.Release();
        }, runs: 60, size: 40);

    [Fact]
    public void A_peer_that_announces_much_and_sends_little_holds_at_most_twice_what_it_sent() =>
        Properties.ForAllSequences(Gen.Choose(1, 20_000), pieces =>
        {
            const int Announced = 16 << 20;
            Message message = Message.Rent(null!, "x"u8, "k"u8, [], bodyCapacity: 0);
            foreach (int piece in pieces)
            {
                message.AppendBody(new byte[piece], Announced);
                message.Capacity.ShouldBeLessThanOrEqualTo(Math.Max(128, 2 * message.Size));
            }
            message.Release();
        }, runs: 60, size: 40);

    [Fact]
    public void A_body_of_the_announced_size_grows_no_further_than_that()
    {
        Message message = Message.Rent(null!, [], [], [], bodyCapacity: 0);
        message.AppendBody(new byte[MessagePool.PooledSizeMax], MessagePool.PooledSizeMax + 10);
        message.AppendBody(new byte[10], MessagePool.PooledSizeMax + 10);
        message.Capacity.ShouldBe(MessagePool.PooledSizeMax + 10);
        message.SizeClass.ShouldBe(-1);
        message.Release();
    }

    [Fact]
    public void It_goes_back_to_the_pool_with_its_last_reference()
    {
        Message message = Message.Rent(null!, [], [], [], 3_000);
        message.AddReferences(2);
        message.Release();
        message.Release();
        Message other = Message.Rent(null!, [], [], [], 3_000);
        other.ShouldNotBeSameAs(message);
        message.Release();
        Message.Rent(null!, [], [], [], 3_000).ShouldBeSameAs(message);
    }

    [Fact]
    public void Releasing_too_often_is_loud()
    {
        Message message = Message.Rent(null!, [], [], [], 3_000);
        message.Release();
        Should.Throw<InvariantException>(message.Release);
    }

    [Fact]
    public async Task References_may_be_given_up_on_any_thread()
    {
        for (int round = 0; round < 300; round++)
        {
            Message message = Message.Rent(null!, [], [], [], 10);
            message.AddReferences(8); // one stays with the test
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                message.Release();
                message.Release();
            })));
            TestMessages.References(message).ShouldBe(1);
            message.Release();
        }
    }
}
