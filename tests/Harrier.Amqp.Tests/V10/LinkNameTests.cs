using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>A link has one endpoint on each side: who attaches its name again takes it over (1.0 part 2, section 2.6.1).</summary>
public class LinkNameTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Link_that_is_attached_in_another_session_is_stolen(bool isSender)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        await AttachAsync(client, isSender, handle: 0, channel: 1);
        await SendAttachAsync(client, isSender, handle: 0, channel: 2);
        (await client.Expect<WireDetach>(1)).Error!.Condition.ShouldBe("amqp:link:stolen");
        (await client.Expect<WireAttach>(2)).Name.ShouldBe("the same");
        if (isSender) await client.Expect<WireFlow>(2);
        await client.Send(new Detach { Handle = 0, Closed = true }, 1);
        await client.ExpectQuiet(1);
        await client.ExpectQuiet(2);
    }

    [Fact]
    public async Task Likewise_with_another_handle_of_the_session()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachAsync(client, isSender: true, handle: 0);
        await SendAttachAsync(client, isSender: true, handle: 1);
        WireDetach detach = await client.Expect<WireDetach>();
        (detach.Handle, detach.Error?.Condition).ShouldBe((0u, "amqp:link:stolen"));
        await client.Expect<WireAttach>();
        await client.Expect<WireFlow>();
        await client.Send(new Frames10().Message(0, Message10.Of("late"), handle: 0).Message(1, Message10.Of("x"), handle: 1));
        await client.ExpectDisposition("accepted", 1);
        server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task What_the_stolen_link_has_unsettled_goes_back()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 client = await server.Open10();
        await AttachAsync(client, isSender: false, handle: 1);
        await client.Grant(1);
        uint id = (await client.ExpectDelivery()).DeliveryId;
        await SendAttachAsync(client, isSender: false, handle: 2);
        await client.Expect<WireDetach>();
        await client.Expect<WireAttach>();
        await client.Settle(id, States10.Accepted); // too late
        await client.Grant(1, 2);
        (await client.ExpectDelivery(2)).Text.ShouldBe("0");
    }

    [Fact]
    public async Task Links_of_both_directions_may_have_the_same_name()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await AttachAsync(client, isSender: true, handle: 0);
        await AttachAsync(client, isSender: false, handle: 1);
        await client.Grant(1);
        await client.Transfer("x", settled: true);
        (await client.ExpectDelivery()).Text.ShouldBe("x");
    }

    [Fact]
    public async Task Links_of_two_connections_may_have_the_same_name()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 first = await server.Open10(new OpenOptions10 { ContainerId = "first" });
        WireScript10 second = await server.Open10(new OpenOptions10 { ContainerId = "second" });
        await AttachAsync(first, isSender: true, handle: 0);
        await AttachAsync(second, isSender: true, handle: 0);
        await first.Publish("x");
        await second.Publish("x");
    }

    [Theory]
    [InlineData("detach")]
    [InlineData("end")]
    [InlineData("error")]
    [InlineData("refused")]
    public async Task Name_is_free_when_its_link_is_gone(string how)
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.Begin(2);
        if (how == "refused")
        {
            await client.Send(Links10.Sender(0, "/queues/nowhere") with { Name = "the same"u8 }, 2);
            await client.Expect<WireAttach>(2);
            await client.ExpectDetach("amqp:not-found", channel: 2);
        }
        else await AttachAsync(client, isSender: true, handle: 0, channel: 2);
        switch (how)
        {
            case "detach": await client.Detach(0, channel: 2); break;
            case "end": await client.EndSession(2); break;
            case "error":
                await client.Transfer([1], channel: 2);
                await client.ExpectDetach("amqp:decode-error", channel: 2);
                break;
        }
        await AttachAsync(client, isSender: true, handle: 0);
        await client.Publish("x");
    }

    [Fact]
    public async Task Names_are_compared_as_a_whole()
    {
        await using var server = new TestServer();
        server.Declare("q");
        WireScript10 client = await server.Open10();
        byte[][] names = [[], "a"u8.ToArray(), "A"u8.ToArray(), [.. Enumerable.Repeat((byte)'a', 300)], [.. Enumerable.Repeat((byte)'a', 301)], [0xFF], [0xFE]];
        for (uint handle = 0; handle < names.Length; handle++)
        {
            await client.Send(Links10.Sender(handle, "/queues/q") with { Name = names[handle] });
            await client.Expect<WireAttach>();
            await client.Expect<WireFlow>();
        }
        await client.ExpectQuiet();
    }

    private static Task SendAttachAsync(WireScript10 client, bool isSender, uint handle, ushort channel = 1) =>
        client.Send((isSender ? Links10.Sender(handle, "/queues/q") : Links10.Receiver(handle, "/queues/q")) with { Name = "the same"u8 }, channel);

    private static async Task AttachAsync(WireScript10 client, bool isSender, uint handle, ushort channel = 1)
    {
        await SendAttachAsync(client, isSender, handle, channel);
        await client.Expect<WireAttach>(channel);
        if (isSender) await client.Expect<WireFlow>(channel);
    }
}
