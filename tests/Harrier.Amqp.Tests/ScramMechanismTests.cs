using System.Net;
using System.Text;
using Harrier.Amqp.Transport.Sasl;
using Harrier.Broker.Security;
using Harrier.Broker.Tests.Support;
using Harrier.Protocol.Sasl;

namespace Harrier.Amqp.Tests;

/// <summary>The server's side of SCRAM-SHA-256.</summary>
public class ScramMechanismTests
{
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    private static readonly User Imported = TestUsers.Create("imported", "") with
    {
        Password = PasswordHash.Parse("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"), // test12
    };

    private static readonly UserStore Users = new(
        [TestUsers.Guest, TestUsers.Create("a,b=c", "päss"), TestUsers.Create("local", "guest") with { IsLoopbackOnly = true }, Imported]);

    /// <summary>RFC 7677, section 3.</summary>
    [Fact]
    public void The_exchange_of_the_RFC()
    {
        User user = TestUsers.Create("user", "") with { Password = PasswordHash.Of("pencil", new SaltOfTheRfc()) };
        var mechanism = new ScramMechanism(new UserStore([user]), null, Encoding.ASCII.GetBytes(ServerNonce));

        Challenged(mechanism.Next("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"u8))
            .ShouldBe("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        Challenged(mechanism.Next("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="u8))
            .ShouldBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        mechanism.Next([]).ShouldBe(new SaslStep.Done(user));
        mechanism.Next([]).ShouldBe(SaslStep.Malformed.Instance, "once");
    }

    [Theory]
    [InlineData("guest", "guest", "guest", "n,,")]
    [InlineData("guest", "guest", "guest", "y,,")]
    [InlineData("guest", "guest", "guest", "n,a=guest,")]
    [InlineData("a=2Cb=3Dc", "päss", "a,b=c", "n,,")]
    [InlineData("a=2Cb=3Dc", "päss", "a,b=c", "n,a=a=2Cb=3Dc,")]
    public void Both_sides_prove_to_know_the_password(string sent, string password, string name, string gs2Header)
    {
        var client = new ScramClient(sent, password, gs2Header: gs2Header);
        ISaslMechanism mechanism = Begin();
        var challenge = mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>();
        var proof = mechanism.Next(client.Final(challenge.Bytes)).ShouldBeOfType<SaslStep.Challenge>();
        client.Trusts(proof.Bytes).ShouldBeTrue();
        mechanism.Next([]).ShouldBeOfType<SaslStep.Done>().User.Name.ShouldBe(name);
    }

    [Theory]
    [InlineData("guest", "Guest", LoginFailure.WrongPassword)]
    [InlineData("guest", "", LoginFailure.WrongPassword)]
    [InlineData("imported", "test12", LoginFailure.WrongPassword)] // the password is right, but its hash is no use for SCRAM
    [InlineData("Guest", "guest", LoginFailure.UnknownUser)]
    [InlineData("nobody", "guest", LoginFailure.UnknownUser)]
    [InlineData("local", "guest", LoginFailure.NotFromLoopback)]
    public void Why_a_login_fails_only_the_log_can_tell(string user, string password, LoginFailure failure)
    {
        var client = new ScramClient(user, password);
        ISaslMechanism mechanism = Begin(new IPEndPoint(IPAddress.Parse("192.0.2.7"), 1));
        var challenge = mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>();
        mechanism.Next(client.Final(challenge.Bytes)).ShouldBe(new SaslStep.Failed(failure));
        mechanism.Next([]).ShouldBe(SaslStep.Malformed.Instance);
    }

    [Fact]
    public void Who_exists_cannot_be_found_out()
    {
        foreach (string name in new[] { "guest", "nobody", "imported", "somebody else" })
        {
            (string nonce, byte[] salt, int iterations) = Ask(name);
            (string Nonce, byte[] Salt, int Iterations) again = Ask(name);
            nonce.Length.ShouldBe(Ask("guest").Nonce.Length);
            salt.Length.ShouldBe(16);
            salt.ShouldBe(again.Salt, "the same every time, as a real one");
            iterations.ShouldBe(4096);
            nonce.ShouldNotBe(again.Nonce);
        }
        Ask("nobody").Salt.ShouldNotBe(Ask("somebody else").Salt);
    }

    [Theory]
    [InlineData("guest")]
    [InlineData("nobody")]
    public void A_wrong_nonce_is_malformed_whoever_it_is(string user)
    {
        var client = new ScramClient(user, "guest");
        ISaslMechanism mechanism = Begin();
        string challenge = Challenged(mechanism.Next(client.First()));
        int end = challenge.IndexOf(",s=", StringComparison.Ordinal);
        byte[] final = client.Final(Encoding.ASCII.GetBytes(challenge.Insert(end, "x")));
        mechanism.Next(final).ShouldBe(SaslStep.Malformed.Instance);
    }

    [Fact]
    public void What_was_said_in_one_exchange_is_no_use_in_another()
    {
        var client = new ScramClient("guest", "guest");
        ISaslMechanism mechanism = Begin();
        byte[] final = client.Final(mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>().Bytes);
        mechanism.Next(final).ShouldBeOfType<SaslStep.Challenge>();

        ISaslMechanism another = Begin();
        another.Next(client.First());
        another.Next(final).ShouldBe(SaslStep.Malformed.Instance);
        mechanism.Next(final).ShouldBe(SaslStep.Malformed.Instance, "nor twice in the same");
    }

    [Fact]
    public void A_first_message_that_somebody_has_changed_on_the_way_does_not_fit_the_last_one()
    {
        var client = new ScramClient("guest", "guest", gs2Header: "y,,");
        ISaslMechanism mechanism = Begin();
        byte[] challenge = mechanism.Next(new ScramClient("guest", "guest").First()).ShouldBeOfType<SaslStep.Challenge>().Bytes;
        mechanism.Next(client.Final(challenge)).ShouldBe(SaslStep.Malformed.Instance);
    }

    [Theory]
    [InlineData("n,a=boss,n=guest,r=x")] // to act as another
    [InlineData("p=tls-exporter,,n=guest,r=x")]
    [InlineData("")]
    public void A_first_message_that_will_not_do(string first)
    {
        ISaslMechanism mechanism = Begin();
        mechanism.Next(Encoding.UTF8.GetBytes(first)).ShouldBe(SaslStep.Malformed.Instance);
        mechanism.Next(new ScramClient("guest", "guest").First()).ShouldBe(SaslStep.Malformed.Instance, "there is no second try");
    }

    [Fact]
    public void A_client_says_nothing_to_the_server_s_proof()
    {
        var client = new ScramClient("guest", "guest");
        ISaslMechanism mechanism = Begin();
        mechanism.Next(client.Final(mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>().Bytes));
        mechanism.Next("x"u8).ShouldBe(SaslStep.Malformed.Instance);
        mechanism.Next([]).ShouldBe(SaslStep.Malformed.Instance);
    }

    [Fact]
    public void No_part_of_the_last_message_lets_in()
    {
        for (int length = 0; ; length++)
        {
            var client = new ScramClient("guest", "guest");
            ISaslMechanism mechanism = Begin();
            byte[] final = client.Final(mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>().Bytes);
            if (length == final.Length) break;
            mechanism.Next(final.AsSpan(0, length)).ShouldBe(SaslStep.Malformed.Instance);
        }
    }

    [Fact]
    public void Nothing_but_the_right_octets_let_in() => Properties.ForAll(
        FsCheck.Fluent.Gen.Choose(0, int.MaxValue),
        seed =>
        {
            var random = new Random(seed);
            var client = new ScramClient("guest", "guest");
            ISaslMechanism mechanism = Begin();
            byte[] final = client.Final(mechanism.Next(client.First()).ShouldBeOfType<SaslStep.Challenge>().Bytes);
            final[random.Next(final.Length)] ^= (byte)(1 << random.Next(8));
            SaslStep step = mechanism.Next(final);
            (step is SaslStep.Malformed or SaslStep.Failed).ShouldBeTrue(Encoding.Latin1.GetString(final));
        },
        runs: 500);

    private static (string Nonce, byte[] Salt, int Iterations) Ask(string user)
    {
        var challenge = Begin().Next(new ScramClient(user, "").First()).ShouldBeOfType<SaslStep.Challenge>();
        ScramServerFirst.TryRead(challenge.Bytes, out ScramServerFirst first).ShouldBeTrue();
        return (Encoding.ASCII.GetString(first.Nonce), first.Salt, first.Iterations);
    }

    private static ISaslMechanism Begin(EndPoint? from = null)
    {
        new SaslMechanisms(Users, forAmqp091: false).TryBegin("SCRAM-SHA-256", from, out ISaslMechanism? mechanism).ShouldBeTrue();
        return mechanism!;
    }

    private static string Challenged(SaslStep step) => Encoding.ASCII.GetString(step.ShouldBeOfType<SaslStep.Challenge>().Bytes);

    private sealed class SaltOfTheRfc : Random
    {
        public override void NextBytes(byte[] buffer) => Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==").CopyTo(buffer, 0);
    }
}
