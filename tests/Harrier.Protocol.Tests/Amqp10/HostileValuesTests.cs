using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Whatever comes, decoding throws nothing but <see cref="DecodeException"/> and stays inside the bytes that it was given.</summary>
public sealed class HostileValuesTests
{
    private const int Count = 3000;

    private static readonly Gen<Octets> AlmostValues = from valid in ValueGen.Any from mutation in Hostile.Mutations(valid) select mutation;
    private static readonly Gen<CompositeShape> Shape = Gen.Elements<CompositeShape>(AnyComposite.Shapes);

    [Fact]
    public void Values_that_mean_well_are_understood() => Property.Holds(ValueGen.Any, value => Describe(value).ShouldNotBeEmpty(), Count);

    [Fact]
    public void Values_from_noise() => Property.Holds(Noise, noise => Hostile.Read(noise, Describe), Count);

    [Fact]
    public void Values_from_almost_valid_ones() => Property.Holds(AlmostValues, mutation => Hostile.Read(mutation, Describe), Count);

    [Fact]
    public void Composites_from_noise() => Property.Holds(
        from shape in Shape from noise in Noise select (shape, noise), input => AssertContained(input.shape.Code, input.noise), Count);

    [Fact]
    public void Composites_from_a_list_of_any_values() => Property.Holds(
        from shape in Shape
        from items in Gen.OneOf(ValueGen.Value(1), Gen.Constant(ReferenceValues.Null)).ListOf()
        select (shape, items: items.ToArray()), input =>
    {
        byte[] list = ReferenceValues.Compound(0xc0, input.items);
        AssertContained(input.shape.Code, new Octets(list));
    }, Count);

    [Fact]
    public void Composites_from_almost_valid_ones()
    {
        Gen<(ulong Code, Octets Mutation)> any =
            from shape in Shape
            from fields in AnyComposite.Fields(shape.Code)
            from mutation in Hostile.Mutations(new Octets(fields.Encode().AsSpan(3)))
            select (shape.Code, mutation);
        Property.Holds(any, input => AssertContained(input.Code, input.Mutation), Count);
    }

    [Fact]
    public void Lists_of_symbols_from_almost_valid_ones() => Property.Holds(
        from valid in ValueGen.Symbols from mutation in Hostile.Mutations(valid) select mutation, mutation => Hostile.Read(mutation, ReadSymbols), Count);

    [Fact]
    public void Symbolic_descriptors_of_any_bytes() =>
        Property.Holds(WireGen.Bytes(0, 60), name => Descriptors.Find(name).ShouldBe(Descriptors.Unknown), Count);

    [Fact]
    public void Frames_from_noise()
    {
        // The size is often one that fits, for else nothing after it matters.
        Gen<Octets> any =
            from size in Gen.Choose(0, 40) from offset in Gen.Choose(0, 4) from type in Gen.Choose(0, 2) from noise in Hostile.Noise
            select new Octets([0, 0, 0, (byte)size, (byte)offset, (byte)type, .. noise.Span]);
        Property.Holds(Gen.OneOf(any, Hostile.Noise), bytes => Hostile.Read(bytes, ReadFrames), Count);
    }

    private static Gen<Octets> Noise { get; } = Gen.OneOf(
        Hostile.Noise,
        // Constructors that there are, for the first byte of most noise is none.
        from code in Gen.Elements(Enum.GetValues<FormatCode>()) from noise in Hostile.Noise select new Octets([(byte)code, .. noise.Span]));

    private static void AssertContained(ulong code, Octets list)
    {
        string understood = Hostile.Read(list, bytes => Convert.ToHexString(AnyComposite.Reencode(code, bytes)));
        if (understood.Contains(' ')) return; // refused
        // What was understood is the whole truth: it reads back to itself.
        var reader = new ValueReader(Convert.FromHexString(understood));
        reader.ReadDescriptor().ShouldBe(code);
        Convert.ToHexString(AnyComposite.Reencode(code, reader.Rest)).ShouldBe(understood);
    }

    private static string Describe(ReadOnlySpan<byte> bytes) => ValueWalk.Describe(bytes);

    private static string ReadSymbols(ReadOnlySpan<byte> bytes)
    {
        var understood = new StringBuilder();
        var list = new SymbolList(bytes);
        while (list.TryRead(out ReadOnlySpan<byte> symbol))
        {
            Hostile.AssertInside(bytes, symbol);
            understood.Append($"{Convert.ToHexString(symbol)}/");
        }
        return understood.ToString();
    }

    private static string ReadFrames(ReadOnlySpan<byte> bytes)
    {
        var understood = new StringBuilder();
        ReadOnlySpan<byte> rest = bytes;
        while (FrameReader10.TryRead(ref rest, 512, out Frame10 frame))
        {
            Hostile.AssertInside(bytes, frame.Body);
            understood.Append($"{frame.Type}/{frame.Channel}/{Convert.ToHexString(frame.Body)}/");
        }
        return understood.Append(rest.Length).ToString();
    }
}
