using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>Fields of some composite, as a test holds them.</summary>
internal interface ICompositeFields
{
    ulong Code { get; }

    /// <summary>The composite as the code under test writes it.</summary>
    byte[] Encode();

    /// <summary>The composite as the table says it is written.</summary>
    ReferenceList Expected();

    /// <summary>Decodes the list behind the descriptor and compares every field.</summary>
    void AssertReadFrom(ReadOnlySpan<byte> list);
}

/// <summary>What the table says of a composite. Of the required fields: where they stand and what they are called.</summary>
internal sealed record CompositeShape(ulong Code, string Symbol, int FieldCount, IReadOnlyList<(int Index, string Name)> Required)
{
    public override string ToString() => Symbol;
}

/// <summary>What holds for every composite.</summary>
internal static class CompositeCheck
{
    public static void RoundTrip<T>(Gen<T> any) where T : ICompositeFields => Property.Holds(any, fields =>
    {
        byte[] encoded = fields.Encode();
        ReferenceList expected = fields.Expected();
        encoded.ShouldBe(expected.Shortest());
        AssertReadFrom(fields, encoded);
        AssertReadFrom(fields, expected.Longest());
    });

    /// <summary>Encodes into room for exactly the size that it takes at most, and for more.</summary>
    public static byte[] Encode<TComposite>(TComposite composite) where TComposite : IComposite, allows ref struct
    {
        byte[] room = new byte[composite.SizeMax], largeRoom = new byte[composite.SizeMax + 300];
        byte[] written = room[..composite.Write(room)];
        largeRoom[..composite.Write(largeRoom)].ShouldBe(written);

        Array.Clear(room);
        var writer = new ValueWriter(room);
        composite.Write(ref writer);
        writer.Written.ToArray().ShouldBe(written);
        room[..writer.Size].ShouldBe(written, "the room that was asked for is enough");
        return written;
    }

    public static Octets? OctetsOrNull(ReadOnlySpan<byte> bytes) => bytes.IsNull ? null : new Octets(bytes);

    private static void AssertReadFrom(ICompositeFields fields, ReadOnlySpan<byte> encoded)
    {
        var reader = new ValueReader(encoded);
        reader.ReadDescriptor().ShouldBe(fields.Code);
        fields.AssertReadFrom(reader.Rest);
    }
}
