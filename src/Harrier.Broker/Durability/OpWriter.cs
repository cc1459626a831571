using System.Buffers.Binary;
using Harrier.Broker.Messages;
using Harrier.Storage.Log;

namespace Harrier.Broker.Durability;

/// <summary>Writes the parts of ops into a unit of the log. Numbers are variable-length: seven bits a byte, the lowest first.</summary>
internal readonly struct OpWriter(LogUnit unit)
{
    private const int NumberSizeMax = 10;

    public void Byte(byte value)
    {
        unit.GetSpan(1)[0] = value;
        unit.Advance(1);
    }

    public void Number(ulong value)
    {
        Span<byte> to = unit.GetSpan(NumberSizeMax);
        int size = 0;
        for (; value >= 0x80; value >>= 7) to[size++] = (byte)(value | 0x80);
        to[size++] = (byte)value;
        unit.Advance(size);
    }

    public void Number(long value) => Number((ulong)value);

    public void Fixed(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(unit.GetSpan(sizeof(long)), value);
        unit.Advance(sizeof(long));
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        Number(bytes.Length);
        bytes.CopyTo(unit.GetSpan(bytes.Length));
        unit.Advance(bytes.Length);
    }

    public void Text(string text) => Bytes(System.Text.Encoding.UTF8.GetBytes(text));

    public void Message(Message message)
    {
        int size = StoredMessage.SizeOf(message);
        Number(size);
        StoredMessage.Write(unit.GetSpan(size), message);
        unit.Advance(size);
    }
}
