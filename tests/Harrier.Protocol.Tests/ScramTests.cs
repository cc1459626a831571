using System.Text;
using Harrier.Protocol.Sasl;

namespace Harrier.Protocol.Tests;

/// <summary>The messages of SCRAM-SHA-256: the example of RFC 7677, section 3, and what is not one.</summary>
public sealed class ScramTests
{
    private const string First = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    private const string Nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string Challenge = $"r={Nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private const string Final = $"c=biws,r={Nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    private const string Outcome = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    private static readonly string[] Samples = [First, "n,a==2C=3D,n==2C=3D,r=x,b=1", Challenge, Final, Outcome, "e=x,b=1"];

    private static readonly byte[] Salt = Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ==");

    [Fact]
    public void The_client_s_first_message_of_the_RFC()
    {
        ScramClientFirst.TryRead(Utf8(First), out ScramClientFirst first).ShouldBeTrue();
        Text(first.Gs2Header).ShouldBe("n,,");
        Text(first.Bare).ShouldBe("n=user,r=rOprNGfwEbeRWgbNEkqO");
        first.AuthorizationId.ShouldBeNull();
        first.User.ShouldBe("user");
        Text(first.Nonce).ShouldBe("rOprNGfwEbeRWgbNEkqO");
    }

    [Fact]
    public void The_server_s_first_message_of_the_RFC()
    {
        Text(ScramServerFirst.Encode(Utf8(Nonce), Salt, 4096)).ShouldBe(Challenge);
        ScramServerFirst.TryRead(Utf8(Challenge), out ScramServerFirst first).ShouldBeTrue();
        Text(first.Nonce).ShouldBe(Nonce);
        first.Salt.ShouldBe(Salt);
        first.Iterations.ShouldBe(4096);
    }

    [Fact]
    public void The_client_s_final_message_of_the_RFC()
    {
        ScramClientFinal.TryRead(Utf8(Final), out ScramClientFinal final).ShouldBeTrue();
        Text(final.WithoutProof).ShouldBe($"c=biws,r={Nonce}");
        Text(final.Binding).ShouldBe("n,,");
        Text(final.Nonce).ShouldBe(Nonce);
        Convert.ToBase64String(final.Proof).ShouldBe("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    }

    [Fact]
    public void The_server_s_final_message_of_the_RFC()
    {
        ScramServerFinal.TryRead(Utf8(Outcome), out ScramServerFinal final).ShouldBeTrue();
        final.Error.ShouldBeNull();
        Text(ScramServerFinal.Encode(final.Signature)).ShouldBe(Outcome);
    }

    [Fact]
    public void A_server_may_refuse_with_an_error()
    {
        ScramServerFinal.TryRead("e=invalid-proof"u8, out ScramServerFinal final).ShouldBeTrue();
        final.Error.ShouldBe("invalid-proof");
        final.Signature.ShouldBeNull();
    }

    [Theory]
    [InlineData("y,,n=user,r=x", "user", null)]
    [InlineData("n,a=boss,n=user,r=x", "user", "boss")]
    [InlineData("n,a=a=3Db=2Cc,n==2C=3D=2C,r=x", ",=,", "a=b,c")]
    [InlineData("n,,n=Jörg €,r=x", "Jörg €", null)]
    [InlineData("n,,n=user,r=x,b=1,B=2,z=n=r,r", null, null)]
    [InlineData("n,,n=user,r=x,b=1,B=2,z=n=r", "user", null)] // extensions
    public void Names_are_unescaped(string message, string? user, string? authorizationId)
    {
        ScramClientFirst.TryRead(Utf8(message), out ScramClientFirst first).ShouldBe(user is not null);
        first.User.ShouldBe(user);
        first.AuthorizationId.ShouldBe(authorizationId);
    }

    [Theory]
    [InlineData("p=tls-unique,,n=user,r=x")] // channel binding
    [InlineData("N,,n=user,r=x")]
    [InlineData(",,n=user,r=x")]
    [InlineData("n,n=user,r=x")]
    [InlineData("n,b=boss,n=user,r=x")]
    [InlineData("n,a=,n=user,r=x")]
    [InlineData("n,a=b=2c,n=user,r=x")]
    [InlineData("n,,n=,r=x")]
    [InlineData("n,,n=a=b,r=x")]
    [InlineData("n,,n=a=,r=x")]
    [InlineData("n,,n=a=2,r=x")]
    [InlineData("n,,n=a\0b,r=x")]
    [InlineData("n,,r=x,n=user")]
    [InlineData("n,,n=user")]
    [InlineData("n,,r=x")]
    [InlineData("n,,n=user,n=user,r=x")]
    [InlineData("n,,n=user,r=x,r=x")]
    [InlineData("n,,n=user,r=x,n=user")]
    [InlineData("n,,n=user,r=x,b=1,b=2")]
    [InlineData("n,,n=user,r=x,m=1")] // an extension that must be understood
    [InlineData("n,,m=1,n=user,r=x")]
    [InlineData("n,,n=user,r=x,1=1")]
    [InlineData("n,,n=user,r=x,b=")]
    [InlineData("n,,n=user,r=x,")]
    [InlineData("n,,n=user,r=x,,b=1")]
    [InlineData("n,,n=user,r=a b")]
    [InlineData("n,,n=user,r=ä")]
    public void A_malformed_first_message_is_refused(string message) => ScramClientFirst.TryRead(Utf8(message), out _).ShouldBeFalse();

    [Fact]
    public void A_message_is_UTF_8_and_of_bounded_length()
    {
        ScramClientFirst.TryRead([.. "n,,n="u8, 0xC3, .. ",r=x"u8], out _).ShouldBeFalse();
        ScramClientFirst.TryRead(Utf8("n,,n=user,r=" + new string('x', ScramSyntax.NonceBytesMax)), out _).ShouldBeTrue();
        ScramClientFirst.TryRead(Utf8("n,,n=user,r=" + new string('x', ScramSyntax.NonceBytesMax + 1)), out _).ShouldBeFalse();
        ScramClientFirst.TryRead(Utf8($"n,,n={new string('u', ScramSyntax.MessageBytesMax - 9)},r=x"), out _).ShouldBeTrue();
        ScramClientFirst.TryRead(Utf8($"n,,n={new string('u', ScramSyntax.MessageBytesMax - 8)},r=x"), out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("r=x,s=YQ==,i=0")]
    [InlineData("r=x,s=YQ==,i=04096")]
    [InlineData("r=x,s=YQ==,i=-1")]
    [InlineData("r=x,s=YQ==,i=+1")]
    [InlineData("r=x,s=YQ==,i= 1")]
    [InlineData("r=x,s=YQ==,i=1000001")]
    [InlineData("r=x,s=YQ==,i=99999999999999999999")]
    [InlineData("r=x,s=YQ=,i=1")]
    [InlineData("r=x,s=YQ ==,i=1")]
    [InlineData("r=x,s=,i=1")]
    [InlineData("r=x,i=1,s=YQ==")]
    [InlineData("r=x,s=YQ==,i=1,i=1")]
    [InlineData("m=1,r=x,s=YQ==,i=1")]
    public void A_malformed_challenge_is_refused(string message) => ScramServerFirst.TryRead(Utf8(message), out _).ShouldBeFalse();

    [Theory]
    [InlineData("c=biws,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=biws,r=x")]
    [InlineData("c=biws,r=x,p=dHzbZapWIk4jUhN+")] // too short for a proof
    [InlineData("c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQAAAAA")] // too long
    [InlineData("c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=,b=1")] // the proof comes last
    [InlineData("c=biws,r=x,p=YQ==,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=biws,c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    [InlineData("c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=")] // bits that base64 does not use
    [InlineData("c=biws,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVS=")]
    [InlineData("c=biw,r=x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")]
    public void A_malformed_final_message_is_refused(string message) => ScramClientFinal.TryRead(Utf8(message), out _).ShouldBeFalse();

    [Fact]
    public void Extensions_stand_before_the_proof()
    {
        ScramClientFinal.TryRead("c=biws,r=x,b=1,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="u8, out ScramClientFinal final).ShouldBeTrue();
        Text(final.WithoutProof).ShouldBe("c=biws,r=x,b=1");
    }

    [Fact]
    public void What_ends_too_early_is_refused_wherever_it_can_be_seen()
    {
        // A nonce or a number that is cut off is a shorter one.
        int nonceAt = First.IndexOf("r=", StringComparison.Ordinal) + 2, countAt = Challenge.IndexOf("i=", StringComparison.Ordinal) + 2;
        foreach (string cut in Cuts(First)) ScramClientFirst.TryRead(Utf8(cut), out _).ShouldBe(cut.Length > nonceAt, cut);
        foreach (string cut in Cuts(Challenge)) ScramServerFirst.TryRead(Utf8(cut), out _).ShouldBe(cut.Length > countAt, cut);
        foreach (string cut in Cuts(Final)) ScramClientFinal.TryRead(Utf8(cut), out _).ShouldBeFalse(cut);
        foreach (string cut in Cuts(Outcome)) ScramServerFinal.TryRead(Utf8(cut), out _).ShouldBeFalse(cut);
    }

    [Fact]
    public void Messages_from_noise() => Property.Holds(Hostile.Noise, AssertContained, 5000);

    [Fact]
    public void Messages_from_almost_valid_ones() => Property.Holds(
        FsCheck.Fluent.Gen.OneOf(Samples.Select(sample => Hostile.Mutations(new Octets(Utf8(sample))))),
        AssertContained,
        5000);

    // Hostile.Read fails for anything that is thrown but what 0-9-1's readers throw, and these throw nothing at all.
    private static void AssertContained(Octets message)
    {
        Hostile.Read(message, ReadClientFirst).ShouldStartWith("read");
        Hostile.Read(message, ReadServerFirst).ShouldStartWith("read");
        Hostile.Read(message, ReadClientFinal).ShouldStartWith("read");
        Hostile.Read(message, ReadServerFinal).ShouldStartWith("read");
    }

    private static string ReadClientFirst(ReadOnlySpan<byte> bytes)
    {
        bool isRead = ScramClientFirst.TryRead(bytes, out ScramClientFirst first);
        Hostile.AssertInside(bytes, first.Gs2Header);
        Hostile.AssertInside(bytes, first.Bare);
        Hostile.AssertInside(bytes, first.Nonce);
        return $"read {isRead} {first.User} {first.AuthorizationId} {Text(first.Nonce)}";
    }

    private static string ReadServerFirst(ReadOnlySpan<byte> bytes)
    {
        bool isRead = ScramServerFirst.TryRead(bytes, out ScramServerFirst first);
        Hostile.AssertInside(bytes, first.Nonce);
        return $"read {isRead} {Text(first.Nonce)} {first.Iterations} {Convert.ToHexString(first.Salt ?? [])}";
    }

    private static string ReadClientFinal(ReadOnlySpan<byte> bytes)
    {
        bool isRead = ScramClientFinal.TryRead(bytes, out ScramClientFinal final);
        Hostile.AssertInside(bytes, final.WithoutProof);
        Hostile.AssertInside(bytes, final.Nonce);
        return $"read {isRead} {Text(final.Nonce)} {Convert.ToHexString(final.Binding ?? [])} {Convert.ToHexString(final.Proof ?? [])}";
    }

    private static string ReadServerFinal(ReadOnlySpan<byte> bytes)
    {
        bool isRead = ScramServerFinal.TryRead(bytes, out ScramServerFinal final);
        return $"read {isRead} {final.Error} {Convert.ToHexString(final.Signature ?? [])}";
    }

    private static IEnumerable<string> Cuts(string message) => Enumerable.Range(0, message.Length).Select(length => message[..length]);

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
