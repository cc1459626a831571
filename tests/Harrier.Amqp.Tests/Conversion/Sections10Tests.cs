using Harrier.Amqp.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>Where the sections of a 1.0 message stand, and what is no message.</summary>
public class Sections10Tests
{
    private static readonly MessageModel10 Full = new()
    {
        Header = new Items(true, (byte)3, 1000u, true, 2u),
        DeliveryAnnotations = Pairs.Annotated(("hop", 1)),
        Annotations = Pairs.Annotated(("x-a", 1)),
        Properties = new Items("id", "me"u8.ToArray(), "/queues/q"),
        Application = Pairs.Named(("n", 1)),
        Body = [(0x75, new byte[] { 1, 2 }), (0x75, new byte[] { 3 }), (0x78, Pairs.Annotated(("f", 1)))],
    };

    [Fact]
    public void Sections_are_found_where_they_stand()
    {
        byte[] prefix = Full.EncodePrefix();
        Sections10 sections = Sections10.Find(prefix);
        Model10.Text(sections.Header.Encoded).ShouldBe("[true, ubyte 3, uint 1000, true, uint 2]");
        Model10.Text(sections.MessageAnnotations.Encoded).ShouldBe("{sym x-a: int 1}");
        Model10.Text(sections.Properties.Encoded).ShouldStartWith("[str id, bin 6D65, ");
        Model10.Text(sections.ApplicationProperties.Encoded).ShouldBe("{str n: int 1}");
        MessageModel10.Texts(sections.HeaderSection).ShouldBe(["70 [true, ubyte 3, uint 1000, true, uint 2]"]);
        MessageModel10.Texts(sections.Bare).Select(t => t[..2]).ShouldBe(["73", "74"]);
    }

    [Fact]
    public void Each_section_may_be_absent()
    {
        byte[] prefix = new MessageModel10 { Application = Pairs.Named(("n", 1)) }.EncodePrefix();
        Sections10 sections = Sections10.Find(prefix);
        (sections.HeaderSection.Length, sections.Header.IsNull, sections.MessageAnnotations.IsNull, sections.Properties.IsNull).ShouldBe((0, true, true, true));
        sections.Bare.SequenceEqual(prefix).ShouldBeTrue();
        Sections10.Find([]).Bare.IsEmpty.ShouldBeTrue();
    }

    [Theory]
    [InlineData("amqp:header:list", 0x70)]
    [InlineData("amqp:application-properties:map", 0x74)]
    public void Descriptors_may_be_symbols(string name, int code)
    {
        byte[] section = Model10.Encode(new Described(new Symbol(name), code == 0x70 ? new Items(true) : new Pairs()));
        MessageModel10.Texts(section).ShouldBe([code == 0x70 ? "70 [true]" : "74 {}"]);
        Sections10.FindBody([.. section, .. Full.EncodeBody()]).ShouldBe(section.Length);
    }

    [Fact]
    public void The_body_is_found_as_soon_as_its_descriptor_has_come()
    {
        byte[] prefix = Full.EncodePrefix();
        byte[] message = [.. prefix, .. Full.EncodeBody()];
        for (int size = 0; size < message.Length; size++)
        {
            var sections = new Sections10(message.AsSpan(0, size));
            sections.IsBodyFound.ShouldBe(size >= prefix.Length + 1 + 9, $"after {size} bytes"); // the descriptor is a ulong of 8 bytes
            if (sections.IsBodyFound) sections.Size.ShouldBe(prefix.Length);
        }
        Sections10.FindBody(message).ShouldBe(prefix.Length);
    }

    [Fact]
    public void Delivery_annotations_are_for_one_hop()
    {
        byte[] kept = (Full with { DeliveryAnnotations = null }).EncodePrefix();
        Sections10.WithoutDeliveryAnnotations(Full.EncodePrefix()).ToArray().ShouldBe(kept);
        Sections10.WithoutDeliveryAnnotations(kept).ToArray().ShouldBe(kept);
    }

    [Theory]
    [InlineData("7270")] // a header behind the annotations
    [InlineData("7070")] // two headers
    [InlineData("7473")]
    [InlineData("7575")]
    [InlineData("78")] // a footer in front of the body
    [InlineData("7075")] // the body is none of the sections in front of it
    [InlineData("6f")]
    [InlineData("79")]
    public void Sections_in_front_of_the_body_have_an_order(string codes) => Refused(() => Sections10.Find(Bytes(codes)));

    [Theory]
    [InlineData("75", true)]
    [InlineData("7575", true)]
    [InlineData("757578", true)]
    [InlineData("7676", true)]
    [InlineData("77", true)]
    [InlineData("7778", true)]
    [InlineData("", false)]
    [InlineData("78", false)]
    [InlineData("7777", false)]
    [InlineData("7576", false)]
    [InlineData("7775", false)]
    [InlineData("757877", false)]
    [InlineData("757878", false)]
    [InlineData("7475", false)]
    public void A_body_is_data_or_sequences_or_one_value_and_a_footer_may_follow(string codes, bool isBody)
    {
        if (isBody) Body10.Check(Bytes(codes));
        else Refused(() => Body10.Check(Bytes(codes)));
        Body10.IsBody(Bytes(codes)).ShouldBe(isBody);
    }

    [Fact]
    public void A_message_without_a_body_is_none()
    {
        Refused(() => Sections10.FindBody(Full.EncodePrefix()));
        Refused(() => Sections10.FindBody([]));
        Refused(() => Sections10.FindBody(Bytes("7078")));
    }

    [Theory]
    [InlineData(0x70, 1)]
    [InlineData(0x72, "text")]
    [InlineData(0x73, null)]
    [InlineData(0x74, 1)]
    public void A_section_has_the_type_that_it_has(int code, object? value)
    {
        Refused(() => Sections10.Find(Model10.Encode(new Described((ulong)code, value))));
        Refused(() => Body10.Check(Model10.Encode(new Described(0x75ul, "text"))));
    }

    [Fact]
    public void Publishing_refuses_what_later_readers_would_trip_over()
    {
        Refused(() => PublishSections10.Read(new MessageModel10 { Header = new Items("yes") }.EncodePrefix()));
        Refused(() => PublishSections10.Read(new MessageModel10 { Properties = new Items(1, "not bytes") }.EncodePrefix()));
        Refused(() => PublishSections10.Read(new MessageModel10 { Annotations = Pairs.Annotated(("x", new Raw("5602"))) }.EncodePrefix()));
        Refused(() => PublishSections10.Read(new MessageModel10 { Application = Pairs.Named(("n", new Items(new Raw("c1020140")))) }.EncodePrefix()));
        Refused(() => PublishSections10.Read(new MessageModel10 { Application = Pairs.Named(("n", new Raw("c003024000"))) }.EncodePrefix()));
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        PublishSections10.Read(new MessageModel10 { Annotations = Pairs.Annotated(("x", Nested(ValueReader.DepthMax - 2))) }.EncodePrefix());
        Refused(() => PublishSections10.Read(new MessageModel10 { Annotations = Pairs.Annotated(("x", Nested(ValueReader.DepthMax))) }.EncodePrefix()));
        Refused(() => PublishSections10.Read(new MessageModel10 { Annotations = Pairs.Annotated(("x", Nested(1_000))) }.EncodePrefix()));
    }

    [Fact]
    public void The_sections_in_front_of_the_body_have_a_limit()
    {
        var large = new MessageModel10 { Application = Pairs.Named(("n", new string('x', Sections10.PrefixSizeMax))) };
        Refused(() => _ = new Sections10(large.EncodePrefix().AsSpan(0, 100), Sections10.PrefixSizeMax));
        Refused(() => PublishSections10.Read(large.EncodePrefix()));
        Refused(() => _ = new Sections10(Convert.FromHexString("005374d1ffffffff"), Sections10.PrefixSizeMax));
    }

    [Fact]
    public void Sections_that_are_cut_or_changed_anywhere_are_refused_or_read()
    {
        byte[] prefix = Full.EncodePrefix(), body = Full.EncodeBody();
        for (int size = 0; size < prefix.Length; size++) NothingElse(prefix[..size], p => PublishSections10.Read(p));
        for (int size = 0; size < body.Length; size++) NothingElse(body[..size], b => Body10.Check(b));
        byte[] message = [.. prefix, .. body];
        for (int at = 0; at < message.Length; at++)
        {
            foreach (byte octet in (byte[])[0x00, 0x01, 0x40, 0x45, 0x70, 0x75, 0x7f, 0x80, 0xa1, 0xc1, 0xd1, 0xf0, 0xff])
            {
                byte[] changed = [.. message];
                changed[at] = octet;
                NothingElse(changed, m =>
                {
                    int prefixSize = Sections10.FindBody(m);
                    PublishSections10.Read(m.AsSpan(0, prefixSize));
                    Body10.Check(m.AsSpan(prefixSize));
                });
            }
        }
    }

    [Fact]
    public void Finding_allocates_nothing()
    {
        byte[] prefix = Full.EncodePrefix(), body = Full.EncodeBody();
        byte[] message = [.. prefix, .. body];
        Walk();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Walk();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        void Walk()
        {
            _ = new Sections10(message);
            PublishSections10.Read(prefix);
            Body10.Check(body);
            Body10.IsData(body, out _);
        }
    }

    private static Raw Nested(int depth) => new(Convert.ToHexString(Inner(depth + 1)));

    // From the inside, for a model of that depth would be as slow to write as it is deep.
    private static byte[] Inner(int depth)
    {
        byte[] inner = [0x54, 1];
        for (int i = 1; i < depth; i++) inner = Convert.FromHexString($"d0{Hex(inner.Length + 4)}00000001{Convert.ToHexString(inner)}");
        return inner;
    }

    private static string Hex(int number) => number.ToString("x8");

    // Sections with nothing in them, by their codes.
    private static byte[] Bytes(string codes) =>
    [
        .. Convert.FromHexString(codes).SelectMany(code => Model10.Encode(new Described((ulong)code, code switch
        {
            0x70 or 0x73 or 0x76 => new Items(),
            0x75 => Array.Empty<byte>(),
            0x77 => 1,
            _ => new Pairs(),
        }))),
    ];

    private static void Refused(Action read) => Should.Throw<DecodeException>(read);

    private static void NothingElse(byte[] bytes, Action<byte[]> read)
    {
        try
        {
            read(bytes);
        }
        catch (DecodeException)
        {
            // as it should be
        }
    }
}
