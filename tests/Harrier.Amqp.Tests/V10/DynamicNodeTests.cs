using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Queues that are made for a link (1.0 part 3, sections 3.5.3 and 3.5.4).</summary>
public class DynamicNodeTests
{
    [Fact]
    public async Task Exclusive_queue_of_another_connection_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 owner = await server.Open10();
        await owner.Send(Links10.Receiver(0, Encoded10.Composite(new Source { Dynamic = true })));
        string address = (await owner.Expect<WireAttach>()).SourceAddress!;
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(0, address));
        await client.Expect<WireAttach>();
        await client.ExpectDetach("amqp:resource-locked");
    }

    [Fact]
    public async Task Dynamic_source_is_a_queue_as_long_as_the_link_is_there()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Dynamic = true })));
        WireAttach attach = await client.Expect<WireAttach>();
        attach.IsSourceDynamic.ShouldBeTrue();
        await client.AttachSender(0, attach.SourceAddress);
        await client.Grant(1);
        await client.Transfer("x", settled: true);
        (await client.ExpectDelivery()).Text.ShouldBe("x");
        await client.Detach(1);
        server.Host.Topology.Queues.ShouldBeEmpty();
        await client.ExpectDisposition("released", await client.Transfer("y"));
    }

    [Fact]
    public async Task Dynamic_target_is_a_queue_as_well()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Sender(0, Encoded10.Composite(new Target { Dynamic = true })));
        WireAttach attach = await client.Expect<WireAttach>();
        attach.IsTargetDynamic.ShouldBeTrue();
        await client.Expect<WireFlow>();
        await client.AttachReceiver(1, attach.TargetAddress!);
        await client.Grant(1);
        await client.Transfer("x", settled: true);
        (await client.ExpectDelivery()).Text.ShouldBe("x");
    }

    [Fact]
    public async Task Receivers_of_a_dynamic_queue_learn_of_its_end()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Dynamic = true })));
        string address = (await client.Expect<WireAttach>()).SourceAddress!;
        await client.AttachReceiver(2, address);
        await client.Send(new Detach { Handle = 1, Closed = true });
        await client.Expect<WireDetach>();
        await client.ExpectDetach("amqp:resource-deleted", 2);
    }

    [Theory]
    [InlineData(0x2bUL, true, false, false)]
    [InlineData(0x2cUL, false, true, true)]
    [InlineData(0x2dUL, false, false, true)]
    [InlineData(0x2eUL, false, false, true)]
    public async Task Lifetime_policy_says_when_it_ends(ulong policy, bool endsOnClose, bool endsWithoutLinks, bool endsWhenEmptyAndWithoutLinks)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Dynamic = true, DynamicNodeProperties = WithPolicy(policy) })));
        WireAttach attach = await client.Expect<WireAttach>();
        await client.AttachSender(0, attach.SourceAddress);
        await client.Publish("x");
        await client.Detach(1);
        server.Host.Topology.Queues.IsEmpty.ShouldBe(endsOnClose);
        await client.Detach(0);
        server.Host.Topology.Queues.IsEmpty.ShouldBe(endsOnClose || endsWithoutLinks);
        if (endsOnClose || endsWithoutLinks) return;
        await client.AttachReceiver(2, attach.SourceAddress!);
        await client.Grant(1, 2);
        WireDelivery10 delivery = await client.ExpectDelivery(2);
        server.Host.Topology.Queues.Count.ShouldBe(1);
        await client.Settle(delivery.DeliveryId, States10.Accepted);
        if (policy == 0x2d) await client.ExpectDetach("amqp:resource-deleted", 2);
        else await client.Detach(2);
        server.Host.Topology.Queues.IsEmpty.ShouldBe(endsWhenEmptyAndWithoutLinks);
    }

    [Fact]
    public async Task Dynamic_target_ends_with_its_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Sender(0, Encoded10.Composite(new Target { Dynamic = true })));
        await client.Expect<WireAttach>();
        await client.Expect<WireFlow>();
        server.Host.Topology.Queues.Count.ShouldBe(1);
        await client.Detach(0);
        server.Host.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public async Task Lifetime_policy_that_does_not_exist_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Dynamic = true, DynamicNodeProperties = WithPolicy(0x28) })));
        await client.Expect<WireAttach>();
        await client.ExpectDetach("amqp:invalid-field", 1);
        server.Host.Topology.Queues.ShouldBeEmpty();
    }

    private static byte[] WithPolicy(ulong descriptor) => Encoded10.Map(("lifetime-policy", Encoded10.Described(descriptor, [(byte)FormatCode.List0])));
}
