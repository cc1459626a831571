using Harrier.Broker.Queues;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What a link can ask of its source: filters, copies, exchanges (1.0 part 3, section 3.5.3).</summary>
public class SourceTests
{
    private const ulong PropertiesFilter = 0x173, ApplicationPropertiesFilter = 0x174;

    public static TheoryData<string, byte[]> RedFilters => new()
    {
        { "selector by its number", Encoded10.Described(0x468C00000004, Encoded10.String("color = 'red'")) },
        { "selector by its symbol", Described("apache.org:selector-filter:string", Encoded10.String("color IN ('red', 'pink')")) },
        { "SQL by its number", Encoded10.Described(0x120, Encoded10.String("a.color = 'red'")) },
        { "SQL by its symbol", Described("amqp:sql-filter", Encoded10.String("application_properties.color LIKE 'r%'")) },
        { "SQL by RabbitMQ's symbol", Described("sql-filter", Encoded10.String("color = 'red'")) },
        { "application properties", Encoded10.Described(ApplicationPropertiesFilter, Encoded10.Map(("color", Encoded10.String("&p:re")))) },
        { "properties", Described("amqp:properties-filter", Encoded10.Map(("subject", Encoded10.String("red")))) },
    };

    public static TheoryData<string, byte[]> BadFilters => new()
    {
        { "a selector that is none", Encoded10.Described(0x468C00000004, Encoded10.String("color = ")) },
        { "a selector that is no string", Encoded10.Described(0x468C00000004, Encoded10.ULong(1)) },
        { "SQL with a function", Encoded10.Described(0x120, Encoded10.String("UTC() > 1")) },
        { "an unknown property", Encoded10.Described(PropertiesFilter, Encoded10.Map(("colour", Encoded10.String("red")))) },
        { "no properties", Encoded10.Described(PropertiesFilter, Encoded10.Map()) },
        { "too many properties", Encoded10.Described(ApplicationPropertiesFilter, Encoded10.Map([.. Enumerable.Range(0, 17).Select(i => ($"p{i}", Encoded10.String("")))])) },
        { "a list to be equal to", Encoded10.Described(ApplicationPropertiesFilter, Encoded10.Map(("p", Encoded10.Nested(1)))) },
        { "a map that is none", Encoded10.Described(ApplicationPropertiesFilter, Encoded10.String("p")) },
    };

    [Theory]
    [MemberData(nameof(RedFilters))]
    public async Task Filtered_link_gets_what_matches_wherever_it_stands(string name, byte[] filter)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 6);
        WireAttach attach = await AttachFiltered(client, (name.Replace(' ', '-'), filter));
        attach.SourceFilters.ShouldBe([name.Replace(' ', '-')]);
        await client.Grant(10);
        foreach (string text in (string[])["0", "2", "4"])
        {
            WireDelivery10 delivery = await client.ExpectDelivery();
            delivery.Text.ShouldBe(text);
            await client.Settle(delivery.DeliveryId, States10.Accepted);
        }
        await client.ExpectQuiet();
        server.Queue("q").ReadyCount.ShouldBe(3);
    }

    [Theory]
    [MemberData(nameof(BadFilters))]
    public async Task Filter_that_is_understood_and_wrong_refuses_the_link(string name, byte[] filter)
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 0);
        (await AttachFiltered(client, (name.Replace(' ', '-'), filter))).HasSource.ShouldBeFalse();
        await client.ExpectDetach("amqp:invalid-field", 1);
    }

    [Fact, Trait("Note", "115")]
    public async Task Filters_that_are_not_understood_are_left_out_of_the_answer()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 4);
        WireAttach attach = await AttachFiltered(client,
            ("unknown", Encoded10.Described(0x1234, Encoded10.String("x"))),
            ("plain", Encoded10.String("color = 'red'")),
            ("selector", Encoded10.Described(0x468C00000004, Encoded10.String("color <> 'red'"))),
            ("binding", Encoded10.Described(0x468C00000001, Encoded10.String("key"))));
        attach.SourceFilters.ShouldBe(["selector"]);
        await client.Grant(10);
        (await client.ExpectDelivery()).Text.ShouldBe("1");
        (await client.ExpectDelivery()).Text.ShouldBe("3");
    }

    [Fact, Trait("Note", "108")]
    public async Task Links_from_queues_offer_the_filters_that_they_can_have()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 0);
        string[] filters = ["AMQP_FILTEX_PROP_V1_0", "AMQP_FILTEX_SQL_V1_0"];
        (await client.AttachReceiver()).OfferedCapabilities.ShouldBe(filters);
        (await client.AttachInbox(new DurableEnd { Handle = 2 })).OfferedCapabilities.ShouldBe(filters);
    }

    [Fact]
    public async Task All_filters_of_a_link_must_match()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 6);
        await AttachFiltered(client,
            ("a", Encoded10.Described(0x468C00000004, Encoded10.String("color = 'red'"))), ("b", Encoded10.Described(0x120, Encoded10.String("a.number > 2"))));
        await client.Grant(10);
        (await client.ExpectDelivery()).Text.ShouldBe("4");
    }

    [Fact]
    public async Task Filtered_link_drains_at_the_end_of_the_queue()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 4);
        await AttachFiltered(client, ("a", Encoded10.Described(0x468C00000004, Encoded10.String("number = 3"))));
        await client.Grant(10, drain: true);
        (await client.ExpectDelivery()).Text.ShouldBe("3");
        WireFlow flow = await client.Expect<WireFlow>();
        (flow.Handle, flow.DeliveryCount, flow.LinkCredit, flow.Drain).ShouldBe((1U, 10U, 0U, true));
    }

    [Fact]
    public async Task Released_message_comes_again()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 4);
        await AttachFiltered(client, ("a", Encoded10.Described(0x468C00000004, Encoded10.String("color = 'blue'"))));
        await client.Grant(1);
        WireDelivery10 first = await client.ExpectDelivery();
        await client.Settle(first.DeliveryId, States10.Released);
        await client.Grant(1);
        WireDelivery10 second = await client.ExpectDelivery();
        (first.Text, second.Text, first.FirstAcquirer, second.FirstAcquirer).ShouldBe(("1", "1", true, false));
    }

    [Fact]
    public async Task Copying_source_takes_nothing_and_follows_what_comes()
    {
        await using var server = new TestServer();
        WireScript10 client = await OpenWithColors(server, 2);
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Address = Encoded10.String("/queues/q"), DistributionMode = "copy"u8 })));
        WireAttach attach = await client.Expect<WireAttach>();
        (attach.DistributionMode, attach.SndSettleMode).ShouldBe(("copy", SenderSettleMode.Settled));
        await client.Grant(1);
        (await client.ExpectDelivery()).Text.ShouldBe("0");
        await client.Grant(10);
        WireDelivery10 second = await client.ExpectDelivery();
        (second.Text, second.IsSettled).ShouldBe(("1", true));
        await client.Settle(second.DeliveryId, States10.Accepted);
        await client.Transfer("later", settled: true);
        (await client.ExpectDelivery()).Text.ShouldBe("later");
        Queue queue = server.Queue("q");
        (queue.ReadyCount, queue.UnackedCount, queue.ConsumerCount).ShouldBe((3, 0, 0));
        await client.Grant(5, drain: true);
        (await client.Expect<WireFlow>()).LinkCredit.ShouldBe(0U);
    }

    [Theory]
    [InlineData("amq.topic", null, "a.b", true)]
    [InlineData("amq.topic", "a.*", "a.b", true)]
    [InlineData("amq.topic", "b.*", "a.b", false)]
    [InlineData("amq.fanout", null, "any", true)]
    [InlineData("amq.direct", "k", "k", true)]
    [InlineData("amq.direct", null, "k", false)]
    public async Task Exchange_as_a_source_is_a_queue_of_the_link_s_own(string exchange, string? bindingKey, string subject, bool comes)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.Open10();
        byte[]? filter = bindingKey is null ? null : Encoded10.Map(("subject", Described("apache.org:legacy-amqp-topic-binding:string", Encoded10.String(bindingKey))));
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Address = Encoded10.String(exchange), Filter = filter })));
        WireAttach attach = await client.Expect<WireAttach>();
        (attach.SourceAddress, attach.SourceFilters.Length).ShouldBe((exchange, bindingKey is null ? 0 : 1));
        await client.Grant(1);
        await client.AttachSender(0, $"/exchanges/{exchange}/{subject}");
        await client.ExpectOutcomeOrDelivery("x", comes);
        await client.Detach(1);
        server.Host.Topology.Queues.ShouldBeEmpty();
    }

    [Fact]
    public async Task Queue_comes_before_an_exchange_of_the_same_name()
    {
        await using var server = new TestServer();
        server.Declare("both");
        await server.Bind("both", "both", "");
        WireScript10 client = await server.Open10();
        await client.AttachReceiver(1, "both");
        server.Host.Topology.Queues.Count.ShouldBe(1);
    }

    private static byte[] Described(string symbol, byte[] value) => [(byte)FormatCode.Described, .. Encoded10.Symbol(symbol), .. value];

    private static async Task<WireAttach> AttachFiltered(WireScript10 client, params (string, byte[])[] filters)
    {
        await client.Send(Links10.Receiver(1, Encoded10.Composite(new Source { Address = Encoded10.String("/queues/q"), Filter = Encoded10.Map(filters) })));
        return await client.Expect<WireAttach>();
    }

    /// <summary>The queue "q" with messages "0", "1" and so on, red and blue in turn, and link 0 to it.</summary>
    private static async Task<WireScript10> OpenWithColors(TestServer server, int count)
    {
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachSender();
        for (int i = 0; i < count; i++)
        {
            string color = i % 2 == 0 ? "red" : "blue";
            byte[] number = Encoded10.Of((ref ValueWriter writer) => writer.WriteInt(i));
            byte[] message = new Message10().To(null, color).ApplicationProperties(("color", Encoded10.String(color)), ("number", number)).Data($"{i}").Bytes;
            await client.ExpectDisposition("accepted", await client.Transfer(message));
        }
        return client;
    }
}

/// <summary>What only these scripts do.</summary>
internal static class SourceConversations
{
    extension(WireScript10 client)
    {
        /// <summary>Publishes on link 0, and expects that link 1 gets it, or that nobody does.</summary>
        public async Task ExpectOutcomeOrDelivery(string text, bool comes)
        {
            if (!comes)
            {
                await client.ExpectDisposition("released", await client.Transfer(text));
                return;
            }
            await client.Transfer(text, settled: true);
            (await client.ExpectDelivery()).Text.ShouldBe(text);
        }
    }
}
