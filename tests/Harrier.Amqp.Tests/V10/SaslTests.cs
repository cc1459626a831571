using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Logging in (1.0 part 5, section 5.3). What the mechanisms do themselves stands with <see cref="SaslMechanismTests"/>.</summary>
public class SaslTests
{
    [Fact]
    public async Task Mechanisms_come_with_the_header()
    {
        await using var server = new TestServer();
        (await server.Connect10().BeginSasl()).Names.ShouldBe(["PLAIN", "SCRAM-SHA-256"], ignoreOrder: true);
    }

    [Fact]
    public async Task Anonymous_is_offered_when_there_is_such_a_user()
    {
        await using var server = new TestServer(anonymousUser: "guest");
        WireScript10 client = server.Connect10();
        (await client.BeginSasl()).Names.ShouldContain("ANONYMOUS");
        await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = "ANONYMOUS"u8 }));
        (await client.Expect<WireOutcome>(0)).Code.ShouldBe(SaslCode.Ok);
    }

    [Theory]
    [InlineData("PLAIN", "\0guest\0wrong")]
    [InlineData("PLAIN", "\0nobody\0guest")]
    [InlineData("PLAIN", "guest")]
    [InlineData("PLAIN", "")]
    [InlineData("plain", "\0guest\0guest")]
    [InlineData("GSSAPI", "")]
    [InlineData("", "")]
    [InlineData("ANONYMOUS", "")]
    public async Task Wrong_credentials_are_told_and_the_end_comes(string mechanism, string response)
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.BeginSasl();
        byte[] name = Encoding.UTF8.GetBytes(mechanism), initial = Encoding.UTF8.GetBytes(response);
        await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = name, InitialResponse = initial }));
        (await client.Expect<WireOutcome>(0)).Code.ShouldBe(SaslCode.Auth);
        await client.ExpectEndOfStream();
        server.ConnectionCount.ShouldBe(0);
    }

    [Fact]
    public async Task Scram_takes_a_challenge_and_a_response()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.BeginSasl();
        var scram = new ScramClient("guest", "guest");
        await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = "SCRAM-SHA-256"u8, InitialResponse = scram.First() }));
        byte[] challenge = (await client.Expect<WireChallenge>(0)).Challenge;
        await client.Send(new Frames10().Sasl(new SaslResponse { Response = scram.Final(challenge) }));
        scram.Trusts((await client.Expect<WireChallenge>(0)).Challenge).ShouldBeTrue();
        await client.Send(new Frames10().Sasl(new SaslResponse { Response = [] }));
        (await client.Expect<WireOutcome>(0)).Code.ShouldBe(SaslCode.Ok);
    }

    [Fact]
    public async Task Peer_that_is_silent_within_sasl_is_dropped_in_time()
    {
        await using var server = new TestServer();
        WireScript10 client = server.Connect10();
        await client.BeginSasl();
        server.Pass(9_000);
        client.Served.IsCompleted.ShouldBeFalse();
        server.Pass(2_000);
        await client.ExpectEndOfStream();
    }
}
