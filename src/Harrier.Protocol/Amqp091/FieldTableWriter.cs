using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Harrier.Protocol.Amqp091;

/// <summary>Builds the encoded fields of a table (without the length in front). For rare tables: server properties, headers that the broker adds.</summary>
public sealed class FieldTableWriter
{
    private readonly ArrayBufferWriter<byte> _output = new();

    /// <summary>What was written so far.</summary>
    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public FieldTableWriter Add(string name, string text) => Add(name, FieldType.LongString, Encoding.UTF8.GetBytes(text));

    public FieldTableWriter Add(string name, bool value) => Add(name, FieldType.Boolean, [value ? (byte)1 : (byte)0]);

    public FieldTableWriter Add(string name, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return Add(name, FieldType.SignedInt, bytes);
    }

    public FieldTableWriter Add(string name, FieldTableWriter table) => Add(name, FieldType.Table, table.Written);

    /// <summary>Adds a field whose bytes are already in wire form; the length of a string, table, array or byte array is put in front here.</summary>
    public FieldTableWriter Add(string name, FieldType type, ReadOnlySpan<byte> bytes) => Add(Encoding.UTF8.GetBytes(name), type, bytes);

    /// <inheritdoc cref="Add(string, FieldType, ReadOnlySpan{byte})"/>
    public FieldTableWriter Add(ReadOnlySpan<byte> name, FieldType type, ReadOnlySpan<byte> bytes)
    {
        bool hasLength = type is FieldType.LongString or FieldType.Table or FieldType.Array or FieldType.ByteArray;
        int size = 1 + name.Length + 1 + (hasLength ? 4 : 0) + bytes.Length;
        var writer = new WireWriter(_output.GetSpan(size));
        writer.WriteShortstr(name);
        writer.WriteOctet((byte)type);
        if (hasLength) writer.WriteLong((uint)bytes.Length);
        writer.WriteRaw(bytes);
        _output.Advance(size);
        return this;
    }
}
