using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;
using Harrier.Protocol.Sasl;

namespace Harrier.Protocol.Tests;

/// <summary>Whatever comes, decoding throws nothing but <see cref="AmqpProtocolException"/> and stays inside the bytes that it was given.</summary>
public sealed class HostileBytesTests
{
    private static readonly Gen<AmqpMethod> Id = Gen.Elements<AmqpMethod>(AnyMethod.Ids);
    private static readonly Gen<IMethodArguments> Arguments = from id in Id from arguments in AnyMethod.Arguments(id) select arguments;

    [Fact]
    public void Any_method_from_noise() =>
        Property.Holds(from id in Id from noise in Hostile.Noise select (id, noise), input => AssertContained(input.id, input.noise), 5000);

    [Fact]
    public void Any_method_from_almost_valid_arguments()
    {
        Gen<(AmqpMethod Id, Octets Mutation)> any =
            from arguments in Arguments
            from mutation in Hostile.Mutations(new Octets(arguments.Encode().AsSpan(MethodCheck.IdSize)))
            select (arguments.Id, mutation);
        Property.Holds(any, input => AssertContained(input.Id, input.Mutation), 5000);
    }

    [Fact]
    public void Arguments_that_end_too_early_are_a_frame_error() => Property.Holds(Arguments, arguments =>
    {
        byte[] encoded = arguments.Encode()[MethodCheck.IdSize..];
        foreach (int cut in Enumerable.Range(0, encoded.Length).Where(i => i < 40 || i > encoded.Length - 40))
            Should.Throw<AmqpProtocolException>(() => AnyMethod.Reencode(arguments.Id, encoded.AsSpan(0, cut))).Code.ShouldBe(ReplyCode.FrameError);
    });

    [Fact]
    public void Octets_after_the_arguments_do_not_change_them() => Property.Holds(Arguments, arguments =>
    {
        byte[] encoded = arguments.Encode();
        AnyMethod.Reencode(arguments.Id, [.. encoded.AsSpan(MethodCheck.IdSize), 0xFF, 0xFF]).ShouldBe(encoded);
    });

    [Fact]
    public void Content_headers_and_properties_from_noise() =>
        Property.Holds(Hostile.Noise, noise => Hostile.Read(noise, ReadHeader), 5000);

    [Fact]
    public void Content_headers_and_properties_from_almost_valid_ones()
    {
        Gen<Octets> any = from valid in PropertiesGen.Any from mutation in Hostile.Mutations(new Octets(valid.Encode())) select mutation;
        Property.Holds(any, properties =>
        {
            Hostile.Read(properties, ReadProperties);
            Hostile.Read(new ReferenceWriter().Short(60).Short(0).Longlong(1).Raw(properties).ToArray(), ReadHeader);
        }, 5000);
    }

    [Fact]
    public void Field_tables_from_noise() => Property.Holds(Hostile.Noise, noise => Hostile.Read(noise, ReadTable), 5000);

    [Fact]
    public void Field_tables_from_almost_valid_ones()
    {
        Gen<Octets> any = from valid in FieldGen.Table(3) from mutation in Hostile.Mutations(new Octets(valid.Encode())) select mutation;
        Property.Holds(any, mutation => Hostile.Read(mutation, ReadTable), 5000);
    }

    [Fact]
    public void Validated_tables_can_be_read_to_their_last_value()
    {
        Gen<Octets> any = from valid in FieldGen.Table(3) from mutation in Hostile.Mutations(new Octets(valid.Encode())) select mutation;
        Property.Holds(any, mutation =>
        {
            if (Hostile.Read(mutation, Validate) == "valid") FieldWalk.Reencode(mutation).ShouldBe(mutation.Span.ToArray());
        }, 5000);
    }

    [Fact]
    public void Login_responses_from_noise() => Property.Holds(Hostile.Noise, noise => AssertLoginNeverThrows(noise), 5000);

    [Fact]
    public void Login_responses_from_almost_valid_ones()
    {
        Octets plain = new("\0guest\0secret"u8);
        Octets amqplain = new(new FieldTableWriter().Add("LOGIN", "guest").Add("PASSWORD", "secret").Written);
        Property.Holds(Gen.OneOf(Hostile.Mutations(plain), Hostile.Mutations(amqplain)), AssertLoginNeverThrows, 5000);
    }

    [Fact]
    public void Frames_from_noise()
    {
        // The first octet is often a type that there is, for else nothing after it matters.
        Gen<Octets> any =
            from type in Gen.Elements<byte>(1, 2, 3, 8, 0)
            from noise in Hostile.Noise select new Octets([type, 0, 1, 0, 0, .. noise.Span]);
        Property.Holds(any, bytes => Hostile.Read(bytes, ReadFrames), 5000);
    }

    private static void AssertContained(AmqpMethod id, Octets arguments)
    {
        string understood = Hostile.Read(arguments, bytes => Convert.ToHexString(AnyMethod.Reencode(id, bytes)));
        if (understood.Contains(' ')) return; // refused
        // What was understood is the whole truth: it reads back to itself.
        Convert.ToHexString(AnyMethod.Reencode(id, Convert.FromHexString(understood).AsSpan(MethodCheck.IdSize))).ShouldBe(understood);
    }

    private static void AssertLoginNeverThrows(Octets response)
    {
        Hostile.Read(response, bytes =>
        {
            bool isRead = PlainResponse.TryRead(bytes, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password);
            Hostile.AssertInside(bytes, user);
            Hostile.AssertInside(bytes, password);
            return $"{isRead}/{user.Length}/{password.Length}";
        }).ShouldNotStartWith("50");
        Hostile.Read(response, bytes =>
        {
            bool isRead = AmqplainResponse.TryRead(bytes, out ReadOnlySpan<byte> user, out ReadOnlySpan<byte> password);
            Hostile.AssertInside(bytes, user);
            Hostile.AssertInside(bytes, password);
            return $"{isRead}/{user.Length}/{password.Length}";
        }).ShouldNotStartWith("50");
    }

    private static string ReadHeader(ReadOnlySpan<byte> bytes)
    {
        ContentHeader header = ContentHeader.Read(bytes);
        Hostile.AssertInside(bytes, header.Properties);
        return $"{header.ClassId}/{header.BodySize}/{ReadProperties(header.Properties)}";
    }

    private static string ReadProperties(ReadOnlySpan<byte> bytes)
    {
        var understood = new System.Text.StringBuilder();
        var reader = new BasicPropertiesReader(bytes);
        while (reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> value))
        {
            Hostile.AssertInside(bytes, value);
            understood.Append($"{property}={Convert.ToHexString(value)}/");
            if (property == BasicPropertyFlags.Headers) understood.Append(ReadTable(value));
        }
        return understood.ToString();
    }

    private static string ReadTable(ReadOnlySpan<byte> bytes)
    {
        FieldTableReader.Validate(bytes);
        return Convert.ToHexString(FieldWalk.Reencode(bytes));
    }

    private static string Validate(ReadOnlySpan<byte> bytes)
    {
        FieldTableReader.Validate(bytes);
        return "valid";
    }

    private static string ReadFrames(ReadOnlySpan<byte> bytes)
    {
        var understood = new System.Text.StringBuilder();
        ReadOnlySpan<byte> rest = bytes;
        while (FrameReader.TryRead(ref rest, 200, out Frame frame))
        {
            Hostile.AssertInside(bytes, frame.Payload);
            understood.Append($"{frame.Type}/{frame.Channel}/{Convert.ToHexString(frame.Payload)}/");
        }
        return understood.Append(rest.Length).ToString();
    }
}
