using Harrier.Broker.Flow;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>How long an end of a link outlives the link (1.0 part 3, section 3.5.6), and who has it when two want it (part 2, section 2.6.1).</summary>
public sealed class TerminusExpiryTests : IAsyncLifetime
{
    private readonly TestServer _server = new();
    private WireScript10 _client = null!;

    public async Task InitializeAsync()
    {
        _server.Declare("q");
        _client = await _server.Open10();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task There_are_only_so_many_termini()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { TerminiMax = 2 });
        server.Declare("q");
        WireScript10 client = await server.Open10();
        await client.AttachOutbox(new DurableEnd { Name = "a", Handle = 1 });
        await client.AttachOutbox(new DurableEnd { Name = "b", Handle = 2 });
        await client.Send(new DurableEnd { Name = "c", Handle = 3 }.ToAttachOfSender());
        (await client.Expect<WireAttach>()).HasTarget.ShouldBeFalse();
        await client.ExpectSuspended("amqp:resource-limit-exceeded", 3);
        await client.Detach(2);
        await client.AttachOutbox(new DurableEnd { Name = "d", Handle = 4 });
    }

    public enum Ending
    {
        Detach,
        SessionEnd,
        SessionError,
        ConnectionClose,
        ConnectionLoss,
    }

    [Theory]
    [InlineData("link-detach", Ending.Detach, true)]
    [InlineData("link-detach", Ending.SessionEnd, true)]
    [InlineData("link-detach", Ending.SessionError, true)]
    [InlineData("link-detach", Ending.ConnectionClose, true)]
    [InlineData("link-detach", Ending.ConnectionLoss, true)]
    [InlineData("session-end", Ending.Detach, false)]
    [InlineData("session-end", Ending.SessionEnd, true)]
    [InlineData("session-end", Ending.SessionError, true)]
    [InlineData("session-end", Ending.ConnectionClose, true)]
    [InlineData("session-end", Ending.ConnectionLoss, true)]
    [InlineData("connection-close", Ending.Detach, false)]
    [InlineData("connection-close", Ending.SessionEnd, false)]
    [InlineData("connection-close", Ending.SessionError, false)]
    [InlineData("connection-close", Ending.ConnectionClose, true)]
    [InlineData("connection-close", Ending.ConnectionLoss, true)]
    [InlineData("never", Ending.Detach, false)]
    [InlineData("never", Ending.SessionEnd, false)]
    [InlineData("never", Ending.ConnectionClose, false)]
    [InlineData("never", Ending.ConnectionLoss, false)]
    public async Task A_terminus_begins_to_expire_with_the_event_that_it_names(string policy, Ending ending, bool expires)
    {
        await HoldAsync(new DurableEnd { Policy = policy, TimeoutSeconds = 10 });
        await EndAsync(ending);
        _server.Pass(9_900);
        _server.TerminusCount.ShouldBe(1);
        _server.Queue("q").UnackedCount.ShouldBe(1);
        _server.Pass(200);
        _server.TerminusCount.ShouldBe(expires ? 0 : 1);
        _server.Queue("q").ReadyCount.ShouldBe(expires ? 1 : 0);
        _server.Pass(20_000); // longer, and a silent peer is dropped
        _server.TerminusCount.ShouldBe(expires ? 0 : 1);
    }

    [Theory]
    [InlineData("session-end", Ending.Detach, Ending.SessionEnd)]
    [InlineData("session-end", Ending.Detach, Ending.SessionError)]
    [InlineData("session-end", Ending.Detach, Ending.ConnectionClose)]
    [InlineData("session-end", Ending.Detach, Ending.ConnectionLoss)]
    [InlineData("connection-close", Ending.Detach, Ending.ConnectionClose)]
    [InlineData("connection-close", Ending.Detach, Ending.ConnectionLoss)]
    [InlineData("connection-close", Ending.SessionEnd, Ending.ConnectionClose)]
    [InlineData("connection-close", Ending.SessionEnd, Ending.ConnectionLoss)]
    [InlineData("connection-close", Ending.SessionError, Ending.ConnectionClose)]
    public async Task A_terminus_whose_link_is_gone_lingers_until_the_event_that_it_names(string policy, Ending first, Ending second)
    {
        await HoldAsync(new DurableEnd { Policy = policy, TimeoutSeconds = 10 });
        await EndAsync(first);
        _server.Pass(20_000);
        _server.TerminusCount.ShouldBe(1);
        await EndAsync(second);
        _server.Pass(9_900);
        (_server.TerminusCount, _server.Queue("q").ReadyCount).ShouldBe((1, 0));
        _server.Pass(200);
        (_server.TerminusCount, _server.Queue("q").ReadyCount).ShouldBe((0, 1));
    }

    [Theory]
    [InlineData("session-end", Ending.Detach, Ending.SessionEnd)]
    [InlineData("connection-close", Ending.Detach, Ending.ConnectionLoss)]
    [InlineData("connection-close", Ending.SessionEnd, Ending.ConnectionClose)]
    public async Task Without_a_time_one_that_lingers_ends_with_that_event(string policy, Ending first, Ending second)
    {
        await HoldAsync(new DurableEnd { Policy = policy });
        await EndAsync(first);
        _server.TerminusCount.ShouldBe(1);
        await EndAsync(second);
        (_server.TerminusCount, _server.Queue("q").ReadyCount).ShouldBe((0, 1));
    }

    [Theory]
    [InlineData("session-end", Ending.Detach)]
    [InlineData("connection-close", Ending.Detach)]
    [InlineData("connection-close", Ending.SessionEnd)]
    public async Task Of_a_terminus_that_lingers_the_policy_of_the_next_link_counts(string policy, Ending first)
    {
        await HoldAsync(new DurableEnd { Policy = policy, TimeoutSeconds = 10 });
        await EndAsync(first);
        if (first == Ending.SessionEnd) await _client.Begin();
        await _client.AttachInbox(new DurableEnd { Policy = "link-detach", TimeoutSeconds = 10, Unsettled = DurableEnd.Unknown("#1") });
        await _client.Detach(0, closed: false);
        _server.Pass(9_900);
        _server.TerminusCount.ShouldBe(1);
        _server.Pass(200);
        (_server.TerminusCount, _server.Queue("q").ReadyCount).ShouldBe((0, 1));
    }

    [Theory]
    [InlineData("link-detach", Ending.Detach)]
    [InlineData("session-end", Ending.SessionEnd)]
    [InlineData("session-end", Ending.ConnectionLoss)]
    [InlineData("connection-close", Ending.ConnectionClose)]
    public async Task Without_a_time_it_ends_at_once(string policy, Ending ending)
    {
        await HoldAsync(new DurableEnd { Policy = policy });
        await EndAsync(ending);
        _server.TerminusCount.ShouldBe(0);
        _server.Queue("q").ReadyCount.ShouldBe(1);
    }

    [Fact]
    public async Task Who_comes_back_in_time_finds_everything_and_the_time_begins_anew()
    {
        var end = new DurableEnd { Policy = "link-detach", TimeoutSeconds = 10 };
        await HoldAsync(end);
        for (int i = 0; i < 3; i++)
        {
            await _client.Detach(0, closed: false);
            _server.Pass(9_900);
            (await _client.AttachInbox(end with { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
            _server.Pass(60_000);
        }
    }

    [Theory]
    [InlineData("never")]
    [InlineData("session-end")]
    [InlineData("connection-close")]
    public async Task A_link_that_is_closed_is_forgotten_also_after_it_was_suspended(string policy)
    {
        var end = new DurableEnd { Policy = policy, TimeoutSeconds = 10 };
        await HoldAsync(end);
        await _client.Detach(0, closed: false);
        await _client.AttachInbox(end with { Unsettled = DurableEnd.Unknown("#1") });
        await _client.Detach(0, closed: true);
        _server.TerminusCount.ShouldBe(0);
        _server.Queue("q").ReadyCount.ShouldBe(1);
        await _client.EndSession();
    }

    [Fact]
    public async Task Another_time_does_not_make_it_forget()
    {
        await HoldAsync(new DurableEnd { Policy = "connection-close", TimeoutSeconds = 10 });
        await TestServer.Lose(_client);
        _client = await _server.Open10();
        (await _client.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
        await TestServer.Lose(_client);
        _server.Pass(60_000);
        _server.TerminusCount.ShouldBe(1);
    }

    [Fact]
    public async Task A_link_is_stolen_by_the_same_container_on_another_connection()
    {
        await HoldAsync(new DurableEnd());
        WireScript10 thief = await _server.Open10();
        (await thief.AttachInbox(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") })).Told().ShouldBe("#1=");
        await _client.ExpectSuspended("amqp:link:stolen");
        await _client.ExpectQuiet();
        await thief.Grant(1, handle: 0);
        await thief.ExpectTagged("#1 a again");
    }

    [Fact]
    public async Task A_link_is_stolen_within_a_connection()
    {
        await HoldAsync(new DurableEnd());
        await _client.Send(new DurableEnd { Handle = 5, Unsettled = DurableEnd.Unknown("#1") }.ToAttachOfReceiver());
        await _client.ExpectSuspended("amqp:link:stolen");
        (await _client.Expect<WireAttach>()).Told().ShouldBe("#1=");
        await _client.Begin(channel: 2);
        await _client.Send(new DurableEnd { Handle = 7, Unsettled = DurableEnd.Unknown("#1") }.ToAttachOfReceiver(), channel: 2);
        await _client.ExpectSuspended("amqp:link:stolen", handle: 5);
        (await _client.Expect<WireAttach>(2)).Told().ShouldBe("#1=");
    }

    [Fact]
    public async Task Of_several_that_wait_for_a_link_the_last_gets_it()
    {
        await HoldAsync(new DurableEnd());
        await _client.AttachSender(3);
        _server.Broker.Flow.Set(FlowReasons.Memory, holds: true);
        await _client.Publish("held back from now on", handle: 3);
        WireScript10 second = await _server.Open10(), third = await _server.Open10();
        await second.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") }.ToAttachOfReceiver());
        await third.Send(new DurableEnd { Unsettled = DurableEnd.Unknown("#1") }.ToAttachOfReceiver());
        await second.Expect<WireAttach>(); // the first hears of it although it is held back
        await second.ExpectSuspended("amqp:link:stolen");
        (await third.Expect<WireAttach>()).Told().ShouldBe("#1=");
        await second.ExpectQuiet();
        await third.ExpectQuiet();
        _server.Broker.Flow.Set(FlowReasons.Memory, holds: false);
    }

    [Fact]
    public async Task Other_containers_and_other_directions_have_links_of_their_own()
    {
        await _client.AttachOutbox(new DurableEnd { Name = "x" });
        await _client.AttachInbox(new DurableEnd { Name = "x", Handle = 1 });
        WireScript10 other = await _server.Open10(new OpenOptions10 { ContainerId = "other" });
        await other.AttachOutbox(new DurableEnd { Name = "x" });
        _server.TerminusCount.ShouldBe(3);
        await _client.ExpectQuiet();
    }

    [Fact]
    public async Task Other_users_have_links_of_their_own()
    {
        await using var server = new TestServer(users: [TestUsers.Guest, TestUsers.Create("ann", "secret", "/")]);
        server.Declare("q");
        WireScript10 guest = await server.Open10(), ann = await server.Open10(new OpenOptions10 { User = "ann", Password = "secret" });
        await guest.AttachOutbox(new DurableEnd { Name = "x" });
        await ann.AttachOutbox(new DurableEnd { Name = "x" });
        server.TerminusCount.ShouldBe(2);
        await guest.ExpectQuiet();
    }

    [Fact]
    public async Task Two_that_want_each_others_links_both_get_them()
    {
        WireScript10 other = await _server.Open10();
        await _client.AttachOutbox(new DurableEnd { Name = "one" });
        await other.AttachOutbox(new DurableEnd { Name = "two" });
        Task first = _client.Send(new DurableEnd { Name = "two", Handle = 1 }.ToAttachOfSender());
        Task second = other.Send(new DurableEnd { Name = "one", Handle = 1 }.ToAttachOfSender());
        await Task.WhenAll(first, second);
        await ExpectStolenAndAttached(_client);
        await ExpectStolenAndAttached(other);
    }

    private static async Task ExpectStolenAndAttached(WireScript10 client)
    {
        var seen = new List<string>();
        while (seen.Count < 2)
        {
            switch ((await client.Receive())!.Performative)
            {
                case WireAttach { HasTarget: true }: seen.Add("attach"); break;
                case WireDetach { Error.Condition: "amqp:link:stolen", Handle: 0 }: seen.Add("detach"); break;
            }
        }
        seen.Order().ShouldBe(["attach", "detach"]);
    }

    private async Task HoldAsync(DurableEnd end)
    {
        WireScript10 publisher = await _server.Open10(new OpenOptions10 { ContainerId = "publisher" });
        await publisher.AttachSender();
        await publisher.Publish("a");
        await _client.AttachInbox(end);
        await _client.Grant(1, handle: 0);
        await _client.ExpectTagged("#1 a");
    }

    private async Task EndAsync(Ending ending)
    {
        switch (ending)
        {
            case Ending.Detach: await _client.Detach(0, closed: false); break;
            case Ending.SessionEnd: await _client.EndSession(); break;
            case Ending.SessionError:
                await _client.Send(new Detach { Handle = 99 });
                await _client.Expect<WireEnd>();
                await _client.Send(new End());
                break;
            case Ending.ConnectionClose:
                await _client.Close();
                await _client.Served.WaitAsync(TestServer.SafetyNet);
                break;
            default: await TestServer.Lose(_client); break;
        }
    }
}
