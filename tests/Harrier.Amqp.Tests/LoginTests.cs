using System.Net;
using System.Text;

namespace Harrier.Amqp.Tests;

/// <summary>connection.start-ok: mechanisms, responses, and who may log in from where.</summary>
public class LoginTests
{
    [Fact, Trait("Note", "5")]
    public async Task Note_5_AMQPLAIN_response_is_a_table_without_its_length()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "AMQPLAIN", Fields.Of(("LOGIN", "guest"), ("PASSWORD", "guest")));
        await client.Expect(AmqpMethod.ConnectionTune, 0);
    }

    [Fact, Trait("Note", "5"), Trait("Note", "2")]
    public async Task Note_5_AMQPLAIN_with_a_wrong_password_is_refused()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "AMQPLAIN", Fields.Of(("LOGIN", "guest"), ("PASSWORD", "no")));
        await client.ExpectConnectionCloseLike(
            403, "ACCESS_REFUSED - Login was refused using authentication mechanism AMQPLAIN. For details see the broker logfile.");
    }

    [Fact, Trait("Note", "1")]
    public async Task Note_1_unknown_mechanism()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "CRAM-MD5", []);
        await client.ExpectConnectionCloseLike(503, "COMMAND_INVALID - unknown authentication mechanism 'CRAM-MD5'");
    }

    [Theory, Trait("Note", "2")]
    [InlineData("guest", "wrong")]
    [InlineData("nobody", "guest")]
    [InlineData("", "")]
    [InlineData("GUEST", "guest")]
    public async Task Note_2_refused_login_is_told_to_clients_that_want_to_know(string user, string password)
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.StartOk(new OpenOptions { User = user, Password = password });
        await client.ExpectConnectionCloseLike(
            403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
    }

    [Fact, Trait("Note", "2")]
    public async Task Note_2_refused_login_ends_without_a_word_for_other_clients()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await client.StartOk(new OpenOptions { Password = "wrong", Capabilities = ["consumer_cancel_notify"] });
        await client.ExpectEnd();
    }

    [Fact, Trait("Note", "2")]
    public async Task Note_2_capability_that_is_false_is_not_there()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        byte[] properties = Fields.Of(("capabilities", Fields.Table(("authentication_failure_close", false))));
        await client.Send(
            new ConnectionStartOk { ClientProperties = properties, Mechanism = "PLAIN"u8, Response = "\0guest\0no"u8, Locale = "en_US"u8 }, 0);
        await client.ExpectEnd();
    }

    [Theory, Trait("Note", "3")]
    [InlineData("")]
    [InlineData("guest")]
    [InlineData("\0guest")]
    [InlineData("\0guest\0guest\0")]
    public async Task Note_3_malformed_response_is_a_syntax_error(string response)
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "PLAIN", Encoding.UTF8.GetBytes(response));
        await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Fact, Trait("Note", "3")]
    public async Task Note_3_malformed_AMQPLAIN_response_is_a_syntax_error()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "AMQPLAIN", [5, 1, 2]);
        await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Fact, Trait("Note", "4")]
    public async Task Note_4_authorization_identity_is_not_accepted()
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, "PLAIN", "guest\0guest\0guest"u8.ToArray());
        await client.ExpectConnectionCloseLike(502, "SYNTAX_ERROR - ");
    }

    [Fact, Trait("Note", "6")]
    public async Task Note_6_loopback_user_is_refused_from_another_machine()
    {
        await using var server = new TestServer([TestUsers.Guest with { IsLoopbackOnly = true }]);
        WireScript client = server.Connect(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 40_000));
        await client.SendBytes(WireScript.ProtocolHeader);
        await client.Expect(AmqpMethod.ConnectionStart, 0);
        await client.StartOk(new OpenOptions());
        await client.ExpectConnectionCloseLike(
            403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.");
    }

    [Theory, Trait("Note", "6")]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.10")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public async Task Note_6_loopback_user_may_log_in_from_this_machine(string address)
    {
        await using var server = new TestServer([TestUsers.Guest with { IsLoopbackOnly = true }]);
        WireScript client = server.Connect(new IPEndPoint(IPAddress.Parse(address), 40_000));
        await client.Open(new OpenOptions());
    }

    [Fact]
    public async Task A_client_without_a_name_is_who_was_named_for_that()
    {
        await using var server = new TestServer(anonymousUser: "guest");
        WireScript client = server.Connect();
        await client.SendBytes(WireScript.ProtocolHeader);
        WireFrame start = await client.Expect(AmqpMethod.ConnectionStart, 0);
        Encoding.ASCII.GetString(ConnectionStart.Decode(start.Arguments).Mechanisms).ShouldBe("PLAIN AMQPLAIN ANONYMOUS");
        await Answer(client, "ANONYMOUS", "somebody"u8.ToArray());
        await client.Expect(AmqpMethod.ConnectionTune, 0);
    }

    [Theory]
    [InlineData("ANONYMOUS")]
    [InlineData("EXTERNAL")]
    [InlineData("SCRAM-SHA-256")]
    public async Task A_mechanism_that_is_not_offered_is_unknown(string mechanism)
    {
        await using var server = new TestServer();
        WireScript client = await Started(server);
        await Answer(client, mechanism, []);
        await client.ExpectConnectionCloseLike(503, $"COMMAND_INVALID - unknown authentication mechanism '{mechanism}'");
    }

    private static async Task<WireScript> Started(TestServer server)
    {
        WireScript client = server.Connect();
        await client.SendBytes(WireScript.ProtocolHeader);
        await client.Expect(AmqpMethod.ConnectionStart, 0);
        return client;
    }

    private static Task Answer(WireScript client, string mechanism, byte[] response) => client.Send(
        new ConnectionStartOk
        {
            ClientProperties = new OpenOptions().ClientProperties(),
            Mechanism = WireScript.Bytes(mechanism),
            Response = response,
            Locale = "en_US"u8,
        },
        0);
}
