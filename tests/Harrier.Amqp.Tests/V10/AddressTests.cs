using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What addresses name (1.0 part 3, section 3.5; behaviour note 104).</summary>
public class AddressTests
{
    [Theory, Trait("Note", "104")]
    [InlineData("/queues/q")]
    [InlineData("/queues/%71")]
    [InlineData("/exchanges/x/k")]
    [InlineData("/exchanges/%78/%6B")]
    [InlineData("/exchanges/y")] // with an empty key
    [InlineData("q")]
    [InlineData("x")] // a plain name of an exchange: the message's subject is its key
    public async Task Addresses_to_publish_to(string address)
    {
        await using var server = new TestServer();
        server.Declare("q");
        await server.Bind("q", "x", "k");
        await server.Bind("q", "y", "");
        WireScript10 client = await server.Open10();
        byte[] message = new Message10().To(null, subject: address == "x" ? "k" : "other").Data("x").Bytes;
        await client.AttachSender(0, address);
        await client.ExpectDisposition("accepted", await client.Transfer(message));
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory, Trait("Note", "104")]
    [InlineData("/queues/q")]
    [InlineData("/exchanges/x/k")]
    [InlineData("/exchanges/y")]
    [InlineData("q")]
    public async Task Addresses_in_messages_are_the_same(string address)
    {
        await using var server = new TestServer();
        server.Declare("q");
        await server.Bind("q", "x", "k");
        await server.Bind("q", "y", "");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address: null);
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().To(address, "k").Data("x").Bytes));
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Theory, Trait("Note", "104")]
    [InlineData("a/b c%ü", "/queues/a%2Fb%20c%25%C3%BC")]
    [InlineData("a/b c%ü", "/queues/a%2fb%20c%25%c3%bc")]
    [InlineData("~-._", "/queues/~-._")]
    [InlineData("+", "/queues/+")]
    [InlineData("a:b@c", "/queues/a:b@c")]
    public async Task Segments_are_percent_encoded(string queue, string address)
    {
        await using var server = new TestServer();
        server.Declare(queue);
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address);
        await client.Publish("x");
        (await client.AttachReceiver(1, address)).SourceAddress.ShouldBe(address);
        await client.Grant(1);
        (await client.ExpectDelivery()).Annotations["x-routing-key"].ShouldBe(queue);
    }

    [Theory, Trait("Note", "104")]
    [InlineData("/queues/%")]
    [InlineData("/queues/%2")]
    [InlineData("/queues/%zz")]
    [InlineData("/queues/%FF")] // no UTF-8
    [InlineData("/queues/")]
    [InlineData("/queues")]
    [InlineData("/queues/q/r")]
    [InlineData("/exchanges/")]
    [InlineData("/exchanges//k")]
    [InlineData("/exchanges/amq.topic/k/l")]
    [InlineData("/exchanges/amq.topic/%4")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/nothing/else")]
    [InlineData("/queue/q")] // version 1
    [InlineData("/amq/queue/q")]
    [InlineData("/exchange/amq.topic/k")]
    [InlineData("/topic/k")]
    [InlineData("")]
    public async Task Anything_else_is_refused(string address)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        foreach (bool isSender in (bool[])[true, false])
        {
            Task sent = client.Send(isSender ? Links10.Sender(0, address) : Links10.Receiver(0, address));
            await sent;
            await client.Expect<WireAttach>();
            await client.ExpectDetach("amqp:invalid-field");
        }
    }

    [Fact]
    public async Task Name_that_is_too_long_is_refused()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        foreach (int size in (int[])[256, 100_000])
        {
            await client.Send(Links10.Sender(0, "/queues/" + new string('q', size)));
            await client.Expect<WireAttach>();
            (await client.ExpectDetach("amqp:invalid-field")).Description!.Length.ShouldBeLessThan(301);
        }
    }

    [Fact]
    public async Task Longest_name_is_taken()
    {
        await using var server = new TestServer();
        string name = new('q', 255);
        server.Declare(name);
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "/queues/" + name);
        await client.Publish("x");
        await client.AttachReceiver(1, "/queues/" + string.Concat(Enumerable.Repeat("%71", 255)));
        await client.Grant(1);
        (await client.ExpectDelivery()).Annotations["x-routing-key"].ShouldBe(name);
    }

    [Fact, Trait("Note", "104")]
    public async Task Default_exchange_has_no_address()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        foreach (string address in (string[])["/exchanges/amq.default/q", "/exchanges//q", "/exchanges/%20/q"])
        {
            await client.Send(Links10.Sender(0, address));
            (await client.Expect<WireAttach>()).HasTarget.ShouldBeFalse();
            (await client.Expect<WireDetach>()).Error.ShouldNotBeNull();
            await client.Send(new Detach { Handle = 0, Closed = true });
        }
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Internal_exchange_is_refused()
    {
        await using var server = new TestServer();
        server.Session().DeclareExchange("inner", "direct", durable: false, autoDelete: false, isInternal: true, Broker.Messages.ArgumentTable.Empty);
        WireScript10 client = await server.Open10();
        await client.Send(Links10.Sender(0, "/exchanges/inner/k"));
        (await client.Expect<WireAttach>()).HasTarget.ShouldBeFalse();
        await client.ExpectDetach("amqp:unauthorized-access");
    }

    [Theory, Trait("Note", "104")]
    [InlineData("/queue/q")]
    [InlineData("/amq/queue/q")]
    [InlineData("/exchange/x/k")]
    [InlineData("/exchange/x")]
    [InlineData("/topic/t")]
    public async Task Version_1_is_there_for_who_asks(string address)
    {
        await using var server = new TestServer(limits: new ConnectionLimits { AllowsAddressVersion1 = true });
        server.Declare("q");
        await server.Bind("q", "x", "k");
        await server.Bind("q", "amq.topic", "t");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, address);
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().To(null, "k").Data("x").Bytes));
    }

    [Fact]
    public async Task Plain_name_makes_a_durable_queue_for_who_asks()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { CreatesQueues = true });
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "made");
        await client.Publish("x");
        await client.AttachReceiver(1, "made");
        await client.Grant(1);
        (await client.ExpectDelivery()).Text.ShouldBe("x");
        server.Queue("made").Definition.IsDurable.ShouldBeTrue();
    }

    [Fact]
    public async Task Exchange_that_is_deleted_under_a_sender_costs_the_link()
    {
        await using var server = new TestServer();
        server.Declare("q");
        await server.Bind("q", "x", "k");
        WireScript10 client = await server.Open10();
        await client.AttachSender(0, "/exchanges/x/k");
        await client.AttachSender(1);
        await client.Publish("a");
        server.Session().DeleteExchange("x", ifUnused: false);
        await client.Transfer("b");
        await client.ExpectDetach("amqp:not-found");
        await client.ExpectDisposition("accepted", await client.Transfer("c", handle: 1));
    }

    [Fact]
    public async Task Queue_that_is_deleted_under_a_sender_takes_nothing_more()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        await client.Publish("a");
        server.Session().DeleteQueue("q", ifUnused: false, ifEmpty: false);
        await client.ExpectDisposition("released", await client.Transfer("b"));
    }
}
