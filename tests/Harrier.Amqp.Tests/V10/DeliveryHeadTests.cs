using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Harrier.Amqp.Conversion;
using Harrier.Amqp.V10;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What is kept of one delivery for the next.</summary>
public class DeliveryHeadTests
{
    [Fact]
    public void Head_that_was_kept_is_the_one_that_would_be_made() => Prop.ForAll<int>(seed => Compare(new Random(seed))).QuickCheckThrowOnFailure();

    private static void Compare(Random random)
    {
        var kept = new DeliveryHead();
        for (int i = 0; i < 50; i++)
        {
            // Few values each, so that many deliveries are alike in all but one thing.
            Message message = Message.Rent(MessageFormat10.Instance, Name("x", random), Name("key", random), default, bodyCapacity: 0);
            message.IsPersistent = random.Next(2) == 0;
            message.Priority = random.Next(3) is var priority and > 0 ? (byte)(priority - 1) : null;
            uint? ttlMs = random.Next(3) is var ttl and > 0 ? (uint)ttl - 1 : null;
            var delivery = new Delivery(null!, message, default, random.Next(2), random.Next(2), IsSettled: true, IsHandedOver: false);
            (int bytes, int count) = random.Next(3) switch { 0 => (0, 0), 1 => (300, 2), _ => (300, 4) };
            kept.Of(in delivery, ttlMs, bytes, count).SequenceEqual(new DeliveryHead().Of(in delivery, ttlMs, bytes, count)).ShouldBeTrue();
            message.Release();
        }
    }

    // Of one size, and one the beginning of another.
    private static byte[] Name(string of, Random random) => Encoding.UTF8.GetBytes(random.Next(4) switch { 0 => "", 1 => of, 2 => of + "1", _ => of + "2" });
}
