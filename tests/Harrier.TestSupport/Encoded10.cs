using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>Encodes values of 1.0 for tests.</summary>
public static class Encoded10
{
    public delegate void Writing(ref ValueWriter writer);

    /// <summary>Whatever is written, as bytes.</summary>
    public static byte[] Of(Writing write)
    {
        var writer = new ValueWriter(new byte[256]);
        write(ref writer);
        byte[] bytes = writer.Written.ToArray();
        writer.Dispose();
        return bytes;
    }

    public static byte[] Composite<T>(in T composite) where T : IComposite, allows ref struct
    {
        var writer = new ValueWriter(new byte[composite.SizeMax]);
        composite.Write(ref writer);
        return writer.Written.ToArray();
    }

    public static byte[] String(string text) => Of((ref ValueWriter writer) => writer.WriteString(Encoding.UTF8.GetBytes(text)));

    public static byte[] Symbol(string text) => Of((ref ValueWriter writer) => writer.WriteSymbol(Encoding.ASCII.GetBytes(text)));

    public static byte[] Binary(byte[] bytes) => Of((ref ValueWriter writer) => writer.WriteBinary(bytes));

    public static byte[] ULong(ulong value) => Of((ref ValueWriter writer) => writer.WriteULong(value));

    /// <summary>A map with symbols as keys and values that are encoded already.</summary>
    public static byte[] Map(params (string Key, byte[] Value)[] entries) => Of((ref ValueWriter writer) =>
    {
        int map = writer.BeginMap();
        foreach ((string key, byte[] value) in entries)
        {
            writer.WriteSymbol(Encoding.ASCII.GetBytes(key));
            writer.WriteRaw(value);
        }
        writer.End(map, entries.Length * 2);
    });

    /// <summary>A value that stands in so many lists, one in the other.</summary>
    public static byte[] Nested(int depth)
    {
        byte[] value = [(byte)FormatCode.Null];
        for (int i = 0; i < depth; i++)
        {
            byte[] inner = value;
            value = Of((ref ValueWriter writer) =>
            {
                int list = writer.BeginList();
                writer.WriteRaw(inner);
                writer.End(list, 1);
            });
        }
        return value;
    }

    /// <summary>A value with a numeric descriptor.</summary>
    public static byte[] Described(ulong descriptor, byte[] value) => Of((ref ValueWriter writer) =>
    {
        writer.WriteDescriptor(descriptor);
        writer.WriteRaw(value);
    });

    /// <summary>The source with an address.</summary>
    public static byte[] Source(string address) => Composite(new Source { Address = String(address) });

    /// <summary>The target with an address, or the anonymous one.</summary>
    public static byte[] Target(string? address) => Composite(new Target { Address = address is null ? default : String(address) });
}
