using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;

namespace Harrier.Amqp.Tests;

/// <summary>Any property sections that a publisher may send, with the names that mean something to the broker more often than chance would have them.</summary>
internal static class PropertySectionGen
{
    private static readonly string[] Names =
    [
        "x-death", "x-first-death-reason", "x-first-death-queue", "x-first-death-exchange", "x-last-death-reason", "x-last-death-queue", "x-last-death-exchange",
        "x-last-death-", "x-first-death-time", "x-delay", "x-delivery-count", "x-acquired-count", "CC", "cc", "", "n",
    ];

    private static readonly (char Type, int Size)[] Sizes =
        [('t', 1), ('b', 1), ('B', 1), ('s', 2), ('u', 2), ('I', 4), ('i', 4), ('l', 8), ('L', 8), ('f', 4), ('d', 8), ('D', 5), ('T', 8), ('V', 0)];

    /// <summary>The headers, or null for no headers property, and a section that has them.</summary>
    public static Gen<byte[]> Any { get; } =
        from flags in Gen.Choose(0, (1 << 14) - 1)
        from fields in Fields(2)
        from seed in Gen.Choose(0, int.MaxValue)
        select Encode((ushort)(flags << 2), fields, new Random(seed));

    /// <summary>Runs a check over many sections.</summary>
    public static void ForAll(Action<byte[]> check) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Arb.From(Any), check));

    private static Gen<byte[]> Fields(int depth) =>
        from fields in (from name in Gen.Elements(Names) from value in Value(depth) select (byte[])[.. Short(name), .. value]).ListOf()
        select fields.Take(12).SelectMany(f => f).ToArray();

    private static Gen<byte[]> Value(int depth)
    {
        Gen<byte[]> plain = from type in Gen.Elements(Sizes) from bytes in Bytes(type.Size) select (byte[])[(byte)type.Type, .. bytes];
        Gen<byte[]> text = from size in Gen.Choose(0, 300) from bytes in Bytes(size) select Long('S', bytes);
        if (depth == 0) return Gen.OneOf(plain, text);
        Gen<byte[]> table = Fields(depth - 1).Select(fields => Long('F', fields));
        Gen<byte[]> array = Value(depth - 1).ListOf().Select(items => Long('A', [.. items.Take(5).SelectMany(i => i)]));
        return Gen.OneOf(plain, text, table, array);
    }

    private static Gen<byte[]> Bytes(int size) => Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(size);

    private static byte[] Encode(ushort flags, byte[] fields, Random random)
    {
        var bytes = new List<byte> { (byte)(flags >> 8), (byte)flags };
        for (int bit = 15; bit >= 2; bit--)
        {
            if ((flags >> bit & 1) == 0) continue;
            byte[] value = new byte[bit switch { 12 or 11 => 1, 6 => 8, _ => random.Next(20) }];
            random.NextBytes(value);
            bytes.AddRange(bit switch
            {
                13 => Long('F', fields)[1..],
                8 => Short($"{random.Next()}"),
                12 or 11 or 6 => value,
                _ => [(byte)value.Length, .. value],
            });
        }
        return [.. bytes];
    }

    private static byte[] Short(string text) => [(byte)text.Length, .. text.Select(c => (byte)c)];

    private static byte[] Long(char type, byte[] content)
    {
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, content.Length);
        return [(byte)type, .. size, .. content];
    }
}
