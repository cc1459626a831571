using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Filters;

/// <summary>A filter is asked about every message of a queue.</summary>
public class FilterAllocationTests
{
    private const int Messages = 1_000;

    // Not zero: a collection meanwhile, which other tests cause, may count what the thread had left of its 8 KiB to allocate from.
    private const int ObjectSizeMin = 24;

    [Fact]
    public void Nothing_is_allocated_per_message()
    {
        Message message = SampleMessage.Create();
        var filter = new FilterSet(
            new MessageSelector(
                "NOT (color = 'blue' OR price < 1.5) AND size + 1 * -2 / 3 % 4 - 5 BETWEEN -100 AND 100 "
                + "AND name LIKE '%100!% _' ESCAPE '!' AND color IN ('x', 'red') AND missing IS NULL AND \"order-status\" <> 0x10 "
                + "AND JMSType LIKE 'Order%' AND JMSPriority = 4 AND JMSDeliveryMode = 'PERSISTENT' "
                + "AND JMSExpiration > 0 AND (JMSRedelivered OR t) AND big + big > big"),
            new SqlFilter(
                "p.user_id = 0x426F62 AND h.durable AND [order-status] >= 'a' AND p.group_sequence / 2 = 4.5 AND p.creation_time <> at"),
            new PropertiesFilter([new Argument("subject", ArgumentValue.Of("&p:Order")), new Argument("group-sequence", ArgumentValue.Of(9))]),
            new ApplicationPropertiesFilter(
                [new Argument("color", ArgumentValue.Of("&s:d")), new Argument("price", ArgumentValue.OfReal(ArgumentKind.Float, 2.5))]));
        filter.Matches(message).ShouldBeTrue("every part of it is asked");

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool matches = true;
        for (int i = 0; i < Messages; i++) matches &= filter.Matches(message);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(Messages * ObjectSizeMin);
        matches.ShouldBeTrue();
    }
}
