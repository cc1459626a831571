using System.Collections.Frozen;
using System.Net;
using System.Text;
using Harrier.Broker.Security;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Security;

/// <summary>The example of RFC 7677, section 3: user, with the password pencil.</summary>
public class ScramSecretTests
{
    private const string Nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    // From RabbitMQ's page on passwords: test12.
    private const string KnownHash = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";

    private static readonly byte[] Exchange = Encoding.ASCII.GetBytes(
        $"n=user,r=rOprNGfwEbeRWgbNEkqO,r={Nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={Nonce}");

    private static readonly byte[] Proof = Convert.FromBase64String("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

    private readonly UserStore _store = new(
    [
        User("user", PasswordHash.Of("pencil", new SaltOfTheRfc())), User("imported", PasswordHash.Parse(KnownHash)), User("nobody", null),
        User("local", PasswordHash.Of("pencil", new SaltOfTheRfc())) with { IsLoopbackOnly = true },
    ]);

    [Fact]
    public void The_exchange_of_the_RFC()
    {
        ScramSecret secret = ScramSecret.Of("pencil", new SaltOfTheRfc());
        secret.IsProvenBy(Exchange, Proof).ShouldBeTrue();
        Convert.ToBase64String(secret.Sign(Exchange)).ShouldBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    [Fact]
    public void No_other_password_exchange_or_proof_will_do()
    {
        ScramSecret secret = ScramSecret.Of("pencil", new SaltOfTheRfc());
        ScramSecret.Of("Pencil", new SaltOfTheRfc()).IsProvenBy(Exchange, Proof).ShouldBeFalse();
        secret.IsProvenBy([.. Exchange, 0], Proof).ShouldBeFalse();
        secret.IsProvenBy(Exchange, Proof.AsSpan(1)).ShouldBeFalse();
        secret.IsProvenBy(Exchange, []).ShouldBeFalse();
        for (int i = 0; i < Proof.Length; i++)
        {
            byte[] changed = [.. Proof];
            changed[i] ^= 1;
            secret.IsProvenBy(Exchange, changed).ShouldBeFalse();
        }
    }

    [Fact]
    public void Every_secret_has_salt_of_its_own()
    {
        var random = new Random(1);
        ScramSecret one = ScramSecret.Of("pencil", random), two = ScramSecret.Of("pencil", random);
        one.Salt.SequenceEqual(two.Salt).ShouldBeFalse();
        one.Salt.Length.ShouldBe(16);
    }

    [Fact]
    public void Only_who_has_a_secret_can_prove_it()
    {
        Prove("user").ShouldBe(LoginFailure.None);
        Prove("User").ShouldBe(LoginFailure.UnknownUser);
        Prove("imported").ShouldBe(LoginFailure.WrongPassword);
        Prove("nobody").ShouldBe(LoginFailure.WrongPassword);
        _store.TryProve("user", Exchange, new byte[32], null, out User? user).ShouldBe(LoginFailure.WrongPassword);
        user.ShouldBeNull();
    }

    [Fact]
    public void A_user_of_this_machine_is_refused_from_another_also_with_the_right_proof()
    {
        var elsewhere = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 1);
        _store.TryProve("local", Exchange, Proof, elsewhere, out User? user).ShouldBe(LoginFailure.NotFromLoopback);
        user.ShouldBeNull();
        _store.TryIdentify("local", elsewhere, out user).ShouldBe(LoginFailure.NotFromLoopback);
        user.ShouldBeNull();
        Prove("local").ShouldBe(LoginFailure.None);
    }

    [Fact]
    public void A_verified_name_needs_no_password()
    {
        _store.TryIdentify("nobody", null, out User? user).ShouldBe(LoginFailure.None);
        user!.Name.ShouldBe("nobody");
        _store.TryIdentify("Nobody", null, out user).ShouldBe(LoginFailure.UnknownUser);
        user.ShouldBeNull();
    }

    [Theory]
    [InlineData("imported")]
    [InlineData("nobody")]
    [InlineData("who is that")]
    [InlineData("")]
    public void Who_has_no_secret_gets_a_decoy_that_stays_the_same(string name)
    {
        ScramSecret decoy = _store.ScramSecretOf(name);
        decoy.Salt.Length.ShouldBe(_store.ScramSecretOf("user").Salt.Length);
        decoy.Salt.SequenceEqual(_store.ScramSecretOf(name).Salt).ShouldBeTrue();
        decoy.Salt.SequenceEqual(_store.ScramSecretOf(name + "x").Salt).ShouldBeFalse("every user has another");
        decoy.Salt.SequenceEqual(new UserStore([]).ScramSecretOf(name).Salt).ShouldBeFalse("or anybody could work out which salt is a decoy's");
        decoy.IsProvenBy(Exchange, Proof).ShouldBeFalse();
    }

    [Fact]
    public void Scram_is_for_all_or_it_is_not_offered()
    {
        _store.SupportsScram.ShouldBeFalse();
        new UserStore([User("user", PasswordHash.Of("pencil", new SaltOfTheRfc())), User("nobody", null)]).SupportsScram.ShouldBeTrue();
        new UserStore([]).SupportsScram.ShouldBeTrue();
    }

    private static User User(string name, PasswordHash? password) =>
        new(name, password, new HashSet<string>(), FrozenDictionary<string, Permissions>.Empty);

    private LoginFailure Prove(string name) => _store.TryProve(name, Exchange, Proof, from: null, out _);

    private sealed class SaltOfTheRfc : Random
    {
        public override void NextBytes(byte[] buffer) => Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==").CopyTo(buffer, 0);
    }
}
