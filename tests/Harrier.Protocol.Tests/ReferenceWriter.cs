namespace Harrier.Protocol.Tests;

/// <summary>The simplest thing that writes 0-9-1's types: the judge of the real writer, so it shares nothing with it.</summary>
internal sealed class ReferenceWriter
{
    private readonly List<byte> _bytes = [];
    private int _bitCount;

    public ReferenceWriter()
    {
    }

    public ReferenceWriter(ushort classId, ushort methodId) => Short(classId).Short(methodId);

    public ReferenceWriter Octet(byte value) => Number(value, 1);

    public ReferenceWriter Short(ushort value) => Number(value, 2);

    public ReferenceWriter Long(uint value) => Number(value, 4);

    public ReferenceWriter Longlong(ulong value) => Number(value, 8);

    public ReferenceWriter Timestamp(ulong value) => Number(value, 8);

    public ReferenceWriter Shortstr(Octets value) => Number((ulong)value.Span.Length, 1).Raw(value);

    public ReferenceWriter Longstr(Octets value) => Number((ulong)value.Span.Length, 4).Raw(value);

    public ReferenceWriter Table(Octets value) => Longstr(value);

    /// <summary>Section 4.2.5.2: bits that follow each other share octets, the first one lowest.</summary>
    public ReferenceWriter Bit(bool value)
    {
        if (_bitCount % 8 == 0) _bytes.Add(0);
        if (value) _bytes[^1] += (byte)Math.Pow(2, _bitCount % 8);
        _bitCount++;
        return this;
    }

    public ReferenceWriter Raw(ReadOnlySpan<byte> bytes)
    {
        _bitCount = 0;
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    private ReferenceWriter Number(ulong value, int size)
    {
        _bitCount = 0;
        for (int i = size - 1; i >= 0; i--) _bytes.Add((byte)(value >> (8 * i)));
        return this;
    }
}
