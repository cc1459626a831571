using FsCheck;
using FsCheck.Fluent;
using Harrier.Protocol.Amqp10;

namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>What a composite takes and what it refuses; that it reads what it writes is in the generated tests.</summary>
public sealed class CompositeTests
{
    private static readonly Gen<ICompositeFields> AnyFields =
        from shape in Gen.Elements<CompositeShape>(AnyComposite.Shapes) from fields in AnyComposite.Fields(shape.Code) select fields;

    public static TheoryData<int> Shapes => [.. Enumerable.Range(0, AnyComposite.Shapes.Count)];

    [Fact]
    public void Every_descriptor_is_found_by_its_symbol()
    {
        foreach (CompositeShape shape in AnyComposite.Shapes) Find(shape.Symbol).ShouldBe(shape.Code);
        foreach ((ulong code, string symbol) in AnyComposite.Others) Find(symbol).ShouldBe(code);
        Descriptors.SelectorFilter.ShouldBe(0x0000_468C_0000_0004ul);
        Find("amqp:transfer:LIST").ShouldBe(Descriptors.Unknown);
        Find("amqp:transfers:list").ShouldBe(Descriptors.Unknown);
        Find("").ShouldBe(Descriptors.Unknown);
    }

    [Fact]
    public void No_two_have_the_same_descriptor()
    {
        ulong[] codes = [.. AnyComposite.Shapes.Select(s => s.Code), .. AnyComposite.Others.Select(o => o.Code)];
        codes.ShouldBeUnique();
        codes.Length.ShouldBe(AnyComposite.Shapes.Count + AnyComposite.Others.Count);
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Without_required_fields_it_may_be_empty_and_with_them_they_are_named(int index)
    {
        CompositeShape shape = AnyComposite.Shapes[index];
        byte[][] forms =
        [
            [0x45],
            ReferenceValues.LongCompound(0xc0),
            ReferenceValues.Compound(0xc0, Nulls(shape.FieldCount)),
            ReferenceValues.LongCompound(0xc0, Nulls(shape.FieldCount)),
        ];
        foreach (byte[] list in forms)
        {
            if (shape.Required.Count == 0) AnyComposite.Reencode(shape.Code, list).ShouldBe([0x00, 0x53, (byte)shape.Code, 0x45]);
            else Should.Throw<DecodeException>(() => AnyComposite.Reencode(shape.Code, list)).Message.ShouldBe($"{shape.Required[0].Name} is required");
        }
    }

    [Fact]
    public void Each_required_field_is_missed() => Property.Holds(AnyFields, fields =>
    {
        CompositeShape shape = Shape(fields);
        foreach ((int index, string name) in shape.Required)
        {
            byte[][] items = Items(fields.Expected().Longest());
            items[index] = ReferenceValues.Null;
            Should.Throw<DecodeException>(() => Decode(shape, items)).Message.ShouldBe($"{name} is required");
            Should.Throw<DecodeException>(() => Decode(shape, items[..index])).Message.ShouldBe($"{name} is required");
        }
    });

    [Fact]
    public void A_field_more_than_there_is_is_refused() => Property.Holds(AnyFields, fields =>
    {
        byte[][] items = [.. Items(fields.Expected().Longest()), ReferenceValues.Null];
        Should.Throw<DecodeException>(() => Decode(Shape(fields), items)).Message.ShouldContain("fields");
    });

    [Fact]
    public void A_list_that_goes_on_behind_its_last_field_is_refused() => Property.Holds(AnyFields, fields =>
    {
        byte[][] items = Items(fields.Expected().Longest());
        byte[] list = ReferenceValues.LongCompound(0xc0, [.. items, ReferenceValues.Null]);
        ReferenceValues.Number((ulong)items.Length, 4).CopyTo(list, 5);
        Should.Throw<DecodeException>(() => AnyComposite.Reencode(fields.Code, list));
    });

    [Fact]
    public void A_field_of_another_type_is_refused() => Property.Holds(AnyFields, fields =>
    {
        // No field is a char; those that may be anything keep it.
        byte[] character = [0x73, 0, 0, 0, 1];
        byte[][] items = Items(fields.Expected().Longest());
        for (int i = 0; i < items.Length; i++)
        {
            byte[][] changed = [.. items];
            changed[i] = character;
            try
            {
                Decode(Shape(fields), changed).AsSpan().IndexOf(character).ShouldBePositive();
            }
            catch (DecodeException e)
            {
                e.Message.ShouldContain("0x73");
            }
        }
    });

    [Theory]
    [InlineData("43")]
    [InlineData("40")]
    [InlineData("C10100")]
    [InlineData("E00100")]
    [InlineData("00532445")]
    public void What_is_no_list_is_refused(string hex)
    {
        foreach (CompositeShape shape in AnyComposite.Shapes)
            Should.Throw<DecodeException>(() => AnyComposite.Reencode(shape.Code, Convert.FromHexString(hex)));
    }

    [Fact]
    public void Choices_that_there_are_not_are_refused()
    {
        byte[] name = [0xa1, 0], handle = [0x43], role = [0x41];
        Should.Throw<DecodeException>(() => Decode(Attach.Code, name, handle, role, [0x50, 3])).Message.ShouldBe("there is no sender-settle-mode 3");
        Should.Throw<DecodeException>(() => Decode(Attach.Code, name, handle, role, [0x40], [0x50, 2])).Message.ShouldBe("there is no receiver-settle-mode 2");
        Should.Throw<DecodeException>(() => Decode(Source.Code, [0x40], [0x52, 3])).Message.ShouldBe("there is no terminus-durability 3");
        Should.Throw<DecodeException>(() => Decode(Target.Code, [0x40], [0x70, 0, 1, 0, 0])).Message.ShouldBe("there is no terminus-durability 65536");
        Should.Throw<DecodeException>(() => Decode(SaslOutcome.Code, [0x50, 5])).Message.ShouldBe("there is no sasl-code 5");
    }

    [Fact]
    public void An_empty_value_is_not_null()
    {
        var reader = new ValueReader([0xc0, 5, 3, 0x43, 0x40, 0xa0, 0]);
        Transfer transfer = Transfer.Decode(ref reader);
        transfer.DeliveryTag.IsEmpty.ShouldBeTrue();
        transfer.DeliveryTag.IsNull.ShouldBeFalse();
        transfer.State.IsNull.ShouldBeTrue();
        CompositeCheck.Encode(new Transfer { DeliveryTag = transfer.DeliveryTag }).ShouldBe([0x00, 0x53, 0x14, 0xc0, 5, 3, 0x43, 0x40, 0xa0, 0]);
        CompositeCheck.Encode(new Transfer { DeliveryTag = default }).ShouldBe([0x00, 0x53, 0x14, 0xc0, 2, 1, 0x43]);
    }

    [Fact]
    public void A_required_text_that_was_not_set_is_written_empty() =>
        CompositeCheck.Encode(new SaslChallenge()).ShouldBe([0x00, 0x53, 0x42, 0xc0, 3, 1, 0xa0, 0]);

    [Theory]
    [InlineData(214, 0xc0)] // SizeMax is 254, 255, 256: the last one for which no move is needed, and the first with one
    [InlineData(215, 0xc0)]
    [InlineData(216, 0xc0)]
    [InlineData(249, 0xc0)] // the fields and their count take 254, 255, 256, 257 bytes
    [InlineData(250, 0xc0)]
    [InlineData(251, 0xd0)]
    [InlineData(252, 0xd0)]
    [InlineData(300, 0xd0)]
    public void The_list_is_small_as_long_as_it_fits(int tagSize, byte constructor)
    {
        byte[] encoded = CompositeCheck.Encode(new Transfer { DeliveryTag = new byte[tagSize] });
        encoded[3].ShouldBe(constructor);
        ValueWalk.Describe(encoded).ShouldEndWith($"null, binary {Convert.ToHexString(new byte[tagSize])}]");
    }

    private static ulong Find(string symbol) => Descriptors.Find(System.Text.Encoding.ASCII.GetBytes(symbol));

    private static CompositeShape Shape(ICompositeFields fields) => AnyComposite.Shapes.Single(s => s.Code == fields.Code);

    private static byte[] Decode(CompositeShape shape, byte[][] items) => AnyComposite.Reencode(shape.Code, ReferenceValues.LongCompound(0xc0, items));

    private static byte[] Decode(ulong code, params byte[][] items) => AnyComposite.Reencode(code, ReferenceValues.Compound(0xc0, items));

    private static byte[][] Nulls(int count) => [.. Enumerable.Repeat(ReferenceValues.Null, count)];

    private static byte[][] Items(byte[] composite)
    {
        var reader = new ValueReader(composite);
        reader.ReadDescriptor();
        int count = reader.ReadList(out ValueReader items);
        var values = new List<byte[]>();
        for (; count > 0; count--) values.Add(items.ReadValue().ToArray());
        return [.. values];
    }
}
