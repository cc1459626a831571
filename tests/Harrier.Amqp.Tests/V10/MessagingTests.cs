using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What becomes of the sections of a message on its way (1.0 part 3, section 3.2).</summary>
public class MessagingTests
{
    [Theory, MemberData(nameof(Bodies))]
    public async Task Bare_message_is_untouched(string _, byte[] bare)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(10);
        byte[][] messages =
        [
            bare,
            [.. new Message10().Header(new MessageHeader { Priority = 1 }).Bytes, .. bare],
            [.. new Message10().MessageAnnotations(("x-opt-a", Encoded10.ULong(1))).Bytes, .. bare],
            [.. new Message10().Header(new MessageHeader()).DeliveryAnnotations(("d", [0x40])).MessageAnnotations().Bytes, .. bare],
        ];
        foreach (byte[] message in messages)
        {
            await client.Transfer(message, settled: true);
            (await client.ExpectDelivery()).Bare.ShouldBe(bare);
        }
    }

    // Also as no encoder of ours would write it: long forms where short ones would do, symbols for descriptors, trailing nulls.
    public static TheoryData<string, byte[]> Bodies => new()
    {
        { "data", Message10.Of("x") },
        { "no data", new Message10().Data([]).Bytes },
        { "data in pieces", new Message10().Data("x").Data("").Data("y").Bytes },
        { "a value", new Message10().Value(Encoded10.String("x")).Bytes },
        { "null", new Message10().Value([0x40]).Bytes },
        { "a described value", new Message10().Value(Encoded10.Described(99, Encoded10.Nested(10))).Bytes },
        { "deep values", new Message10().Value(Encoded10.Nested(5_000)).Bytes },
        { "a sequence", new Message10().Section(Descriptors.AmqpSequence, [0x45]).Section(Descriptors.AmqpSequence, [0xC0, 2, 1, 0x41]).Bytes },
        { "properties", new Message10().To("/x", "y").Data("x").Bytes },
        { "long forms", [0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x75, 0xB0, 0, 0, 0, 1, 0x78] },
        { "a symbolic descriptor", [0x00, 0xA3, 16, .. "amqp:data:binary"u8, 0xA0, 1, 0x78] },
        { "a list of 32 bits", [0x00, 0x53, 0x73, 0xD0, 0, 0, 0, 6, 0, 0, 0, 2, 0x40, 0x40, .. Message10.Of("x")] },
        { "application properties", new Message10().ApplicationProperties(("a", [0x40]), ("b", [0x98, .. new byte[16]])).Data("x").Bytes },
        { "strings for keys", new Message10().Section(Descriptors.ApplicationProperties, [0xC1, 6, 2, 0xA1, 1, 0x61, 0x54, 0xFF]).Data("x").Bytes },
        { "a footer", new Message10().Data("x").Footer(("sum", Encoded10.ULong(9))).Bytes },
    };

    [Theory]
    [InlineData(true, 9)]
    [InlineData(false, 0)]
    public async Task Header_is_handed_on(bool durable, byte priority)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        await client.Transfer(new Message10().Header(new MessageHeader { Durable = durable, Priority = priority, Ttl = 5_000 }).Data("x").Bytes, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery();
        (delivery.Durable, delivery.Priority, delivery.TtlMs).ShouldBe((durable, priority, 5_000u));
    }

    [Fact, Trait("Note", "113")]
    public async Task Message_without_a_header_is_not_durable()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(1);
        await client.Grant(1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        (delivery.Durable ?? false).ShouldBeFalse();
        delivery.Priority.ShouldBeOneOf(null, (byte)4);
        delivery.TtlMs.ShouldBeNull();
    }

    [Fact]
    public async Task What_the_sender_says_of_deliveries_does_not_count()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        await client.Transfer(new Message10().Header(new MessageHeader { FirstAcquirer = false, DeliveryCount = 77 }).Data("x").Bytes, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.FirstAcquirer.ShouldBe(true);
    }

    [Fact]
    public async Task Message_is_gone_when_its_time_is_over()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Transfer(new Message10().Header(new MessageHeader { Ttl = 1_000 }).Data("short").Bytes, settled: true);
        await client.Transfer(new Message10().Header(new MessageHeader { Ttl = uint.MaxValue }).Data("long").Bytes, settled: true);
        server.Pass(1_001);
        await client.Grant(2);
        (await client.ExpectDelivery()).Text.ShouldBe("long");
        await client.ExpectQuiet();
    }

    [Fact]
    public async Task Delivery_annotations_go_no_further()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        await client.Transfer(new Message10().DeliveryAnnotations(("d", Encoded10.String("e"))).Data("x").Bytes, settled: true);
        (await client.ExpectDelivery()).HasDeliveryAnnotations.ShouldBeFalse();
    }

    [Fact]
    public async Task Message_annotations_are_handed_on_with_the_address()
    {
        await using var server = new TestServer();
        server.Declare("p");
        await server.Bind("p", "x", "k");
        WireScript10 client = await server.OpenWithAsync(0);
        await client.AttachSender(2, "/exchanges/x/k");
        await client.AttachReceiver(3, "/queues/p");
        await client.Grant(1, 3);
        await client.Transfer(new Message10().MessageAnnotations(("x-opt-a", Encoded10.String("b"))).Data("x").Bytes, handle: 2, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery(3);
        delivery.Annotations.ShouldBe(new Dictionary<string, string> { ["x-opt-a"] = "b", ["x-exchange"] = "x", ["x-routing-key"] = "k" }, ignoreOrder: true);
    }

    [Fact]
    public async Task Many_message_annotations_are_handed_on()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        (string, byte[])[] annotations = [.. Enumerable.Range(0, 300).Select(i => ($"x-{i}", Encoded10.String($"{i}")))];
        await client.Transfer(new Message10().MessageAnnotations(annotations).Data("x").Bytes, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery();
        delivery.Annotations.Count.ShouldBe(302);
        delivery.Annotations["x-299"].ShouldBe("299");
    }

    [Theory]
    [InlineData("guest", "accepted")]
    [InlineData("root", null)]
    public async Task User_id_is_the_users_own(string userId, string? state)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = new Message10().Properties(new MessageProperties { UserId = System.Text.Encoding.ASCII.GetBytes(userId) }).Data("x").Bytes;
        uint id = await client.Transfer(message);
        if (state is null)
        {
            (await client.Expect<WireDetach>()).Error.ShouldNotBeNull();
            await client.Send(new Detach { Handle = 0, Closed = true });
            await client.ExpectQuiet();
        }
        else await client.ExpectDisposition(state, id);
        server.Queue("q").ReadyCount.ShouldBe(state is null ? 0 : 1);
    }

    [Fact]
    public async Task Carbon_copies_go_to_more_queues()
    {
        await using var server = new TestServer();
        server.Declare("p", "r");
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] keys = [0xC0, 7, 2, 0xA1, 1, (byte)'p', 0xA1, 1, (byte)'r'];
        await client.ExpectDisposition("accepted", await client.Transfer(new Message10().MessageAnnotations(("x-cc", keys)).Data("x").Bytes));
        (server.Queue("q").ReadyCount, server.Queue("p").ReadyCount, server.Queue("r").ReadyCount).ShouldBe((1, 1, 1));
    }

    [Fact]
    public async Task Time_to_live_is_what_is_left_of_it()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Transfer(new Message10().Header(new MessageHeader { Ttl = 5_000 }).Data("x").Bytes, settled: true);
        server.Pass(2_000);
        await client.Grant(1);
        (await client.ExpectDelivery()).TtlMs.ShouldBe(3_000u); // 1.0 part 3, section 3.2.1
    }

    [Fact]
    public async Task Annotations_of_ours_replace_those_that_came()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        await client.Grant(1);
        byte[] forwarded = new Message10()
            .MessageAnnotations(("x-exchange", Encoded10.String("old")), ("x-routing-key", Encoded10.String("old")), ("x-opt-a", Encoded10.String("b")))
            .Data("x").Bytes;
        await client.Transfer(forwarded, settled: true);
        WireDelivery10 delivery = await client.ExpectDelivery(); // fails for a key that is there twice: 1.0 part 1, section 1.6.23
        delivery.Annotations.ShouldBe(new Dictionary<string, string> { ["x-opt-a"] = "b", ["x-exchange"] = "", ["x-routing-key"] = "q" }, ignoreOrder: true);
    }
}
