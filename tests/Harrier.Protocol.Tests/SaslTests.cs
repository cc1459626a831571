using System.Text;
using Harrier.Protocol.Sasl;

namespace Harrier.Protocol.Tests;

/// <summary>What clients send to log in.</summary>
public sealed class SaslTests
{
    [Theory]
    [InlineData("00'guest' 00'secret'", "guest", "secret")]
    [InlineData("00'guest' 00", "guest", "")]
    [InlineData("00 00", "", "")]
    [InlineData("00 C3A9 00 E282AC", "é", "€")]
    [InlineData("'guest' 00'guest' 00'secret'", "guest", "secret")] // as itself
    public void A_PLAIN_response_is_split(string response, string user, string password)
    {
        PlainResponse.TryRead(Wire.Bytes(response), out ReadOnlySpan<byte> readUser, out ReadOnlySpan<byte> readPassword).ShouldBeTrue();
        Encoding.UTF8.GetString(readUser).ShouldBe(user);
        Encoding.UTF8.GetString(readPassword).ShouldBe(password);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("00'guest'")]
    [InlineData("'guest' 00'secret'")]
    [InlineData("'other' 00'guest' 00'secret'")] // to act as another identity
    [InlineData("'gues' 00'guest' 00'secret'")]
    [InlineData("'guest' 00 00'secret'")]
    [InlineData("00'guest' 00'secret' 00")]
    [InlineData("00 00 00")]
    public void A_malformed_PLAIN_response_is_refused(string response)
    {
        PlainResponse.TryRead(Wire.Bytes(response), out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password).ShouldBeFalse();
        user.IsEmpty.ShouldBeTrue();
        password.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData("05'LOGIN' 'S' 00000005'guest'  08'PASSWORD' 'S' 00000006'secret'")]
    [InlineData("08'PASSWORD' 'S' 00000006'secret'  05'LOGIN' 'S' 00000005'guest'")]
    [InlineData("01'x' 'V'  05'LOGIN' 'S' 00000005'guest'  08'PASSWORD' 'S' 00000006'secret'  01'y' 't' 01")]
    public void An_AMQPLAIN_response_is_a_table_with_both_fields(string response)
    {
        AmqplainResponse.TryRead(Wire.Bytes(response), out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password).ShouldBeTrue();
        user.SequenceEqual("guest"u8).ShouldBeTrue();
        password.SequenceEqual("secret"u8).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("05'LOGIN' 'S' 00000005'guest'")]
    [InlineData("08'PASSWORD' 'S' 00000006'secret'")]
    [InlineData("05'login' 'S' 00000005'guest'  08'password' 'S' 00000006'secret'")]
    [InlineData("05'LOGIN' 'x' 00000005'guest'  08'PASSWORD' 'S' 00000006'secret'")]
    [InlineData("05'LOGIN' 'S' 00000005'guest'  08'PASSWORD' 'I' 00000006")]
    [InlineData("05'LOGIN' 'S' 00000005'guest'  08'PASSWORD' 'S' 000000FF'secret'")]
    [InlineData("05'LOGIN' 'Z' 00000005'guest'  08'PASSWORD' 'S' 00000006'secret'")]
    [InlineData("00000028 05'LOGIN' 'S' 00000005'guest'  08'PASSWORD' 'S' 00000006'secret'")] // with the length of a table in front
    public void A_malformed_AMQPLAIN_response_is_refused(string response)
    {
        AmqplainResponse.TryRead(Wire.Bytes(response), out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password).ShouldBeFalse();
        user.IsEmpty.ShouldBeTrue();
        password.IsEmpty.ShouldBeTrue();
    }
}
