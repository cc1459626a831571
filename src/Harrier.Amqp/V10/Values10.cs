using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>Encoded values that are written as they are, over and over.</summary>
internal static class Values10
{
    /// <summary>An array of symbols.</summary>
    public static byte[] Symbols(params ReadOnlySpan<string> symbols)
    {
        var writer = new ValueWriter(stackalloc byte[256]);
        writer.WriteSymbols(symbols);
        byte[] bytes = writer.Written.ToArray();
        writer.Dispose();
        return bytes;
    }

    /// <summary>A string.</summary>
    public static byte[] Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var writer = new ValueWriter(stackalloc byte[256]);
        writer.WriteString(utf8);
        byte[] bytes = writer.Written.ToArray();
        writer.Dispose();
        return bytes;
    }

    /// <summary>A composite.</summary>
    public static byte[] Composite<T>(in T composite) where T : IComposite, allows ref struct
    {
        byte[] bytes = new byte[composite.SizeMax];
        var writer = new ValueWriter(bytes);
        composite.Write(ref writer);
        return bytes[..writer.Size];
    }
}
