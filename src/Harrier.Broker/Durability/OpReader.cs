using System.Buffers.Binary;
using System.Text;
using Harrier.Storage.Disk;

namespace Harrier.Broker.Durability;

/// <summary>Reads the parts of ops, as <see cref="OpWriter"/> writes them. Throws <see cref="DataDamagedException"/> where they do not fit.</summary>
internal ref struct OpReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }
        throw new DataDamagedException("an op of the log holds a number that does not end");
    }

    public long Fixed() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public ReadOnlySpan<byte> Bytes()
    {
        ulong size = Number();
        return Take(size > int.MaxValue ? int.MaxValue : (int)size);
    }

    public string Text() => Encoding.UTF8.GetString(Bytes());

    /// <summary>A number of things that take at least a byte each.</summary>
    public int Count()
    {
        ulong count = Number();
        return count <= (ulong)_rest.Length ? (int)count : throw new DataDamagedException("an op of the log counts more than it holds");
    }

    private ReadOnlySpan<byte> Take(int size)
    {
        if (size > _rest.Length) throw new DataDamagedException("an op of the log is cut short");
        ReadOnlySpan<byte> taken = _rest[..size];
        _rest = _rest[size..];
        return taken;
    }
}
