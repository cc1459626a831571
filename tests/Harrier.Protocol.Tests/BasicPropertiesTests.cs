using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp091;

namespace Harrier.Protocol.Tests;

/// <summary>Properties of a content header as a test holds them: the present ones, with their values as they are read.</summary>
internal sealed record PropertiesValue(IReadOnlyList<(BasicPropertyFlags Property, Octets Value)> Present)
{
    public byte[] Encode()
    {
        var writer = new ReferenceWriter().Short((ushort)Present.Aggregate(0, (flags, p) => flags | (ushort)p.Property));
        foreach ((BasicPropertyFlags property, Octets value) in Present)
        {
            writer = property switch
            {
                BasicPropertyFlags.Headers => writer.Table(value),
                BasicPropertyFlags.DeliveryMode or BasicPropertyFlags.Priority or BasicPropertyFlags.Timestamp => writer.Raw(value),
                _ => writer.Shortstr(value),
            };
        }
        return writer.ToArray();
    }
}

internal static class PropertiesGen
{
    /// <summary>Every property, the first on the wire first.</summary>
    public static readonly BasicPropertyFlags[] All =
        [.. Enum.GetValues<BasicPropertyFlags>().Where(p => p != BasicPropertyFlags.None).OrderDescending()];

    /// <summary>Any of the properties with any values.</summary>
    public static Gen<PropertiesValue> Any { get; } =
        from mask in Gen.OneOf(Gen.Choose(0, (1 << All.Length) - 1), Gen.Constant((1 << All.Length) - 1))
        from values in Gen.CollectToArray(All, Value)
        select new PropertiesValue([.. All.Zip(values).Where((_, i) => (mask >> i & 1) != 0)]);

    private static Gen<Octets> Value(BasicPropertyFlags property) => property switch
    {
        BasicPropertyFlags.Headers => FieldGen.Table(2).Select(t => new Octets(t.Encode())),
        BasicPropertyFlags.DeliveryMode or BasicPropertyFlags.Priority => WireGen.Bytes(1, 1),
        BasicPropertyFlags.Timestamp => WireGen.Bytes(8, 8),
        _ => WireGen.Shortstr,
    };
}

/// <summary>The property list of a basic content header (0-9-1 section 4.2.6.1).</summary>
public sealed class BasicPropertiesTests
{
    [Fact]
    public void There_are_14_properties() => PropertiesGen.All.Length.ShouldBe(14);

    [Fact]
    public void Present_properties_are_read_in_their_order() => Property.Holds(PropertiesGen.Any, properties =>
    {
        var reader = new BasicPropertiesReader(properties.Encode());
        foreach ((BasicPropertyFlags expected, Octets value) in properties.Present)
        {
            reader.TryRead(out BasicPropertyFlags property, out ReadOnlySpan<byte> read).ShouldBeTrue();
            property.ShouldBe(expected);
            new Octets(read).ShouldBe(value);
        }
        reader.TryRead(out BasicPropertyFlags none, out _).ShouldBeFalse();
        none.ShouldBe(BasicPropertyFlags.None);
    }, 500);

    [Fact]
    public void Each_property_is_found_or_not() => Property.Holds(PropertiesGen.Any, properties =>
    {
        byte[] encoded = properties.Encode();
        foreach (BasicPropertyFlags wanted in PropertiesGen.All)
        {
            Octets? expected = properties.Present.FirstOrDefault(p => p.Property == wanted).Value;
            BasicPropertiesReader.TryFind(encoded, wanted, out ReadOnlySpan<byte> value).ShouldBe(expected is not null);
            new Octets(value).ShouldBe(expected ?? new Octets([]));
        }
    });

    [Fact]
    public void A_list_that_is_cut_anywhere_is_a_frame_error() => Property.Holds(PropertiesGen.Any, properties =>
    {
        byte[] encoded = properties.Encode();
        for (int cut = 0; cut < encoded.Length; cut++) AssertRefused(encoded[..cut]);
    });

    [Fact]
    public void Octets_after_the_list_are_a_frame_error() =>
        Property.Holds(PropertiesGen.Any, properties => AssertRefused([.. properties.Encode(), 0]));

    [Theory]
    [InlineData("0001")] // more flags would follow; 0-9-1 has no more
    [InlineData("0001 00")]
    [InlineData("0002")]
    [InlineData("0002 00")]
    [InlineData("8003 00")]
    public void Flags_that_do_not_exist_are_a_frame_error(string properties) => AssertRefused(Wire.Bytes(properties));

    [Theory]
    [InlineData("")]
    [InlineData("003C 0000 0000000000000001")]
    [InlineData("003C 0000 0000000000000001 90")]
    public void A_content_header_without_flags_is_a_frame_error(string header) =>
        Should.Throw<AmqpProtocolException>(() => ContentHeader.Read(Wire.Bytes(header))).Code.ShouldBe(ReplyCode.FrameError);

    [Fact]
    public void The_smallest_content_header_is_read()
    {
        ContentHeader header = ContentHeader.Read(Wire.Bytes("003C FFFF FFFFFFFFFFFFFFFF 0000")); // the weight is ignored
        header.ClassId.ShouldBe((ushort)60);
        header.BodySize.ShouldBe(ulong.MaxValue);
        header.Properties.Length.ShouldBe(ContentHeader.SizeMin - ContentHeader.PrefixSize);
    }

    private static void AssertRefused(byte[] properties) => Should.Throw<AmqpProtocolException>(() =>
    {
        var reader = new BasicPropertiesReader(properties);
        while (reader.TryRead(out _, out _))
        {
        }
    }).Code.ShouldBe(ReplyCode.FrameError);
}
