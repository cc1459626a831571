using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Harrier.Broker.Security;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Security;

public class UserStoreTests
{
    // From RabbitMQ's page on passwords: salt 908DC60A, password test12.
    private const string KnownHash = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR";

    private static readonly IPEndPoint Loopback = new(IPAddress.Loopback, 5672);

    private readonly UserStore _store = new(
    [
        User("guest", loopbackOnly: true), User("anna", loopbackOnly: false),
        new User("nobody", null, new HashSet<string>(), FrozenDictionary<string, Permissions>.Empty),
    ]);

    [Fact]
    public void A_hash_of_RabbitMQ_is_understood()
    {
        PasswordHash hash = PasswordHash.Parse(KnownHash);
        hash.Matches("test12"u8).ShouldBeTrue();
        hash.Matches("test13"u8).ShouldBeFalse();
        hash.Matches(""u8).ShouldBeFalse();
        hash.ToBase64().ShouldBe(KnownHash);
    }

    [Fact]
    public void A_hash_has_salt_of_its_own_and_survives_being_written()
    {
        var random = new Random(1);
        PasswordHash one = PasswordHash.Of("später", random), two = PasswordHash.Of("später", random);
        one.ToBase64().ShouldNotBe(two.ToBase64());
        PasswordHash.Parse(one.ToBase64()).Matches("später"u8).ShouldBeTrue();
    }

    [Theory]
    [InlineData("not base64!")]
    [InlineData("")]
    [InlineData("kI3GCqW5JLMJa4iX")]
    public void What_is_no_hash_is_refused(string text) => Should.Throw<FormatException>(() => PasswordHash.Parse(text));

    [Fact]
    public void Name_and_password_must_both_be_right()
    {
        Login("anna", "test12").ShouldBe(LoginFailure.None);
        Login("anna", "wrong").ShouldBe(LoginFailure.WrongPassword);
        Login("anna", "").ShouldBe(LoginFailure.WrongPassword);
        Login("Anna", "test12").ShouldBe(LoginFailure.UnknownUser);
        Login("", "").ShouldBe(LoginFailure.UnknownUser);
    }

    [Fact]
    public void Without_a_password_nobody_logs_in() => Login("nobody", "").ShouldBe(LoginFailure.WrongPassword);

    [Fact]
    public void Who_logs_in_is_told_and_who_does_not_is_not()
    {
        _store.TryLogin("anna", "test12"u8, Loopback, out User? user);
        user!.Name.ShouldBe("anna");
        _store.TryLogin("anna", "wrong"u8, Loopback, out user);
        user.ShouldBeNull("an answer that is not looked at must not let anybody in");
    }

    [Theory]
    [InlineData("127.0.0.1", LoginFailure.None)]
    [InlineData("127.8.8.8", LoginFailure.None)]
    [InlineData("::1", LoginFailure.None)]
    [InlineData("::ffff:127.0.0.1", LoginFailure.None)]
    [InlineData("10.0.0.1", LoginFailure.NotFromLoopback)]
    [InlineData("::ffff:10.0.0.1", LoginFailure.NotFromLoopback)]
    [InlineData("fe80::1", LoginFailure.NotFromLoopback)]
    public void Note_6_guest_comes_from_this_machine_only(string address, LoginFailure expected)
    {
        var from = new IPEndPoint(IPAddress.Parse(address), 1);
        Login("guest", "test12", from).ShouldBe(expected);
        Login("anna", "test12", from).ShouldBe(LoginFailure.None);
        Login("guest", "wrong", from).ShouldBe(LoginFailure.WrongPassword);
    }

    [Fact]
    public void A_user_in_a_log_line_does_not_show_the_hash() => User("anna", false).ToString().ShouldNotContain(KnownHash);

    [Fact]
    public void A_unix_socket_is_this_machine() => Login("guest", "test12", new UnixDomainSocketEndPoint("any")).ShouldBe(LoginFailure.None);

    private static User User(string name, bool loopbackOnly) =>
        new(name, PasswordHash.Parse(KnownHash), new HashSet<string>(), FrozenDictionary<string, Permissions>.Empty, loopbackOnly);

    private LoginFailure Login(string name, string password, EndPoint? from = null) =>
        _store.TryLogin(name, System.Text.Encoding.UTF8.GetBytes(password), from ?? Loopback, out _);
}
