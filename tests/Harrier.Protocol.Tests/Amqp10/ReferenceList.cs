namespace Harrier.Protocol.Tests.Amqp10;

/// <summary>A composite, field by field, in the shortest and in the longest form that it may have. Shares nothing with the code under test.</summary>
internal sealed class ReferenceList(ulong code, string symbol)
{
    private readonly List<byte[]> _short = [];
    private readonly List<byte[]> _long = [];

    public ReferenceList Boolean(bool? value) => value is { } b ? Add(ReferenceValues.Boolean(b), [0x56, (byte)(b ? 1 : 0)]) : Null();

    public ReferenceList Boolean(bool value, bool otherwise) => value == otherwise ? Default(Boolean, value) : Boolean(value);

    public ReferenceList Ubyte(byte? value) => value is { } n ? Add(ReferenceValues.UByte(n), ReferenceValues.UByte(n)) : Null();

    public ReferenceList Ubyte(byte value, byte otherwise) => value == otherwise ? Default(Ubyte, value) : Ubyte(value);

    public ReferenceList Ushort(ushort? value) => value is { } n ? Add(ReferenceValues.UShort(n), ReferenceValues.UShort(n)) : Null();

    public ReferenceList Ushort(ushort value, ushort otherwise) => value == otherwise ? Default(Ushort, value) : Ushort(value);

    public ReferenceList Uint(uint? value) => value is { } n ? Add(ReferenceValues.UInt(n), [0x70, .. ReferenceValues.Number(n, 4)]) : Null();

    public ReferenceList Uint(uint value, uint otherwise) => value == otherwise ? Default(Uint, value) : Uint(value);

    public ReferenceList Ulong(ulong? value) => value is { } n ? Add(ReferenceValues.ULong(n), [0x80, .. ReferenceValues.Number(n, 8)]) : Null();

    public ReferenceList Timestamp(long? value) => value is { } n ? Add(ReferenceValues.Timestamp(n), ReferenceValues.Timestamp(n)) : Null();

    public ReferenceList Binary(Octets? value) => Variable(0xa0, value);

    public ReferenceList String(Octets? value) => Variable(0xa1, value);

    public ReferenceList Symbol(Octets? value) => Variable(0xa3, value);

    public ReferenceList Any(Octets? encoded) => encoded is null ? Null() : Add(encoded.Span.ToArray(), encoded.Span.ToArray());

    public ReferenceList Map(Octets? encoded) => Any(encoded);

    public ReferenceList Symbols(Octets? encoded) => Any(encoded);

    /// <summary>Trailing nulls left out, everything as short as it gets.</summary>
    public byte[] Shortest()
    {
        int count = _short.FindLastIndex(item => item.Length != 1 || item[0] != ReferenceValues.Null[0]) + 1;
        return [0x00, .. ReferenceValues.ULong(code), .. ReferenceValues.Compound(0xc0, _short[..count])];
    }

    /// <summary>Every field written out, the descriptor a symbol, every size in four bytes.</summary>
    public byte[] Longest() => [0x00, .. ReferenceValues.Symbol(symbol), .. ReferenceValues.LongCompound(0xc0, _long)];

    private ReferenceList Variable(byte small, Octets? value) =>
        value is null ? Null() : Add(ReferenceValues.Variable(small, value), ReferenceValues.LongVariable(small, value));

    private ReferenceList Null() => Add(ReferenceValues.Null, ReferenceValues.Null);

    private ReferenceList Default<T>(Func<T?, ReferenceList> write, T value) where T : struct
    {
        write(value);
        _short[^1] = ReferenceValues.Null;
        return this;
    }

    private ReferenceList Add(byte[] shortForm, byte[] longForm)
    {
        _short.Add(shortForm);
        _long.Add(longForm);
        return this;
    }
}
