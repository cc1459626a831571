using System.Net;
using System.Text;
using FsCheck.Fluent;
using Harrier.Amqp.Transport.Sasl;
using Harrier.Broker.Security;
using Harrier.Broker.Tests.Support;

namespace Harrier.Amqp.Tests;

/// <summary>Which mechanisms there are, and those of one step.</summary>
public class SaslMechanismTests
{
    private static readonly IPEndPoint Elsewhere = new(IPAddress.Parse("192.0.2.7"), 1);

    private static readonly User Local = TestUsers.Create("local", "guest") with { IsLoopbackOnly = true };

    private static readonly User Imported = TestUsers.Create("imported", "") with
    {
        Password = PasswordHash.Parse("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"), // test12
    };

    private static readonly UserStore Users = new([TestUsers.Guest, Local]), UsersWithAnonymous = new([TestUsers.Guest, Local], "guest");

    [Theory]
    [InlineData(true, false, null, "PLAIN AMQPLAIN")]
    [InlineData(true, true, null, "PLAIN AMQPLAIN ANONYMOUS")]
    [InlineData(true, false, "guest", "EXTERNAL PLAIN AMQPLAIN")]
    [InlineData(false, false, null, "SCRAM-SHA-256 PLAIN")]
    [InlineData(false, true, null, "SCRAM-SHA-256 PLAIN ANONYMOUS")]
    [InlineData(false, true, "guest", "EXTERNAL SCRAM-SHA-256 PLAIN ANONYMOUS")]
    public void What_is_offered_can_be_begun_and_nothing_else(bool forAmqp091, bool isAnonymousAllowed, string? identity, string offered)
    {
        var mechanisms = new SaslMechanisms(isAnonymousAllowed ? UsersWithAnonymous : Users, forAmqp091, () => identity);
        string.Join(' ', mechanisms.Names).ShouldBe(offered);
        foreach (string name in new[] { "PLAIN", "AMQPLAIN", "ANONYMOUS", "EXTERNAL", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "plain", "CRAM-MD5", "" })
            mechanisms.TryBegin(name, null, out _).ShouldBe(offered.Split(' ').Contains(name), name);
    }

    [Fact]
    public void Where_SCRAM_would_keep_somebody_out_it_is_left_to_those_who_ask_for_it()
    {
        var mechanisms = new SaslMechanisms(new UserStore([TestUsers.Guest, Imported]), forAmqp091: false);
        mechanisms.Names.ShouldBe(["PLAIN"]);
        mechanisms.TryBegin("SCRAM-SHA-256", null, out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData("\0guest\0guest", "guest")]
    [InlineData("guest\0guest\0guest", "guest")] // as itself
    [InlineData("local\0guest\0guest", null)]
    [InlineData("\0guest", null)]
    public void PLAIN_takes_the_identity_that_logs_in_and_no_other(string response, string? user)
    {
        SaslStep step = Next("PLAIN", response);
        if (user is null) step.ShouldBe(SaslStep.Malformed.Instance);
        else step.ShouldBeOfType<SaslStep.Done>().User.Name.ShouldBe(user);
    }

    [Theory]
    [InlineData("\0guest\0wrong", LoginFailure.WrongPassword)]
    [InlineData("\0nobody\0guest", LoginFailure.UnknownUser)]
    [InlineData("\0local\0guest", LoginFailure.NotFromLoopback)]
    public void PLAIN_fails_for_a_reason(string response, LoginFailure failure) =>
        Next("PLAIN", response, from: Elsewhere).ShouldBe(new SaslStep.Failed(failure));

    [Theory]
    [InlineData("")]
    [InlineData("anybody@example.org")]
    [InlineData("\0guest\0wrong")]
    public void ANONYMOUS_is_the_one_user_whatever_the_client_says(string trace) =>
        Next("ANONYMOUS", trace).ShouldBeOfType<SaslStep.Done>().User.Name.ShouldBe("guest");

    [Fact]
    public void ANONYMOUS_may_be_a_user_of_this_machine_only()
    {
        var mechanisms = new SaslMechanisms(new UserStore([Local], "local"), forAmqp091: false);
        mechanisms.TryBegin("ANONYMOUS", Elsewhere, out ISaslMechanism? mechanism).ShouldBeTrue();
        mechanism!.Next([]).ShouldBe(new SaslStep.Failed(LoginFailure.NotFromLoopback));
    }

    [Theory]
    [InlineData("guest", "", "guest")]
    [InlineData("guest", "guest", "guest")]
    [InlineData("guest", "local", null)] // to act as another
    public void EXTERNAL_is_who_the_transport_says(string identity, string response, string? user)
    {
        SaslStep step = Next("EXTERNAL", response, identity);
        if (user is null) step.ShouldBe(SaslStep.Malformed.Instance);
        else step.ShouldBeOfType<SaslStep.Done>().User.Name.ShouldBe(user);
    }

    [Theory]
    [InlineData("nobody", LoginFailure.UnknownUser)]
    [InlineData("local", LoginFailure.NotFromLoopback)]
    public void EXTERNAL_must_be_a_user_and_where_it_may(string identity, LoginFailure failure) =>
        Next("EXTERNAL", "", identity, Elsewhere).ShouldBe(new SaslStep.Failed(failure));

    [Theory]
    [InlineData("PLAIN", true)]
    [InlineData("PLAIN", false)]
    [InlineData("AMQPLAIN", true)]
    [InlineData("EXTERNAL", false)]
    [InlineData("SCRAM-SHA-256", false)]
    public void Noise_is_malformed_or_fails_and_never_throws(string name, bool forAmqp091)
    {
        var mechanisms = new SaslMechanisms(Users, forAmqp091, () => "guest");
        Properties.ForAll(
            Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf().ArrayOf(),
            responses =>
            {
                mechanisms.TryBegin(name, null, out ISaslMechanism? mechanism).ShouldBeTrue();
                foreach (byte[] response in responses.Where(r => r.Length > 0)) // EXTERNAL is content with nothing
                {
                    SaslStep step = mechanism!.Next(response);
                    (step is SaslStep.Malformed or SaslStep.Failed).ShouldBeTrue();
                }
            },
            runs: 1000);
    }

    private static SaslStep Next(string name, string response, string? identity = null, EndPoint? from = null)
    {
        var mechanisms = new SaslMechanisms(UsersWithAnonymous, forAmqp091: false, () => identity);
        mechanisms.TryBegin(name, from, out ISaslMechanism? mechanism).ShouldBeTrue();
        return mechanism!.Next(Encoding.UTF8.GetBytes(response));
    }
}
