namespace Harrier.Protocol.Amqp10;

/// <summary>The constructors of primitive values (1.0 part 1, section 1.6). The upper half tells how many bytes follow.</summary>
public enum FormatCode : byte
{
    /// <summary>A descriptor and a value follow.</summary>
    Described = 0x00,
    Null = 0x40,
    True = 0x41,
    False = 0x42,
    UInt0 = 0x43,
    ULong0 = 0x44,
    List0 = 0x45,
    UByte = 0x50,
    Byte = 0x51,
    SmallUInt = 0x52,
    SmallULong = 0x53,
    SmallInt = 0x54,
    SmallLong = 0x55,
    Boolean = 0x56,
    UShort = 0x60,
    Short = 0x61,
    UInt = 0x70,
    Int = 0x71,
    Float = 0x72,
    Char = 0x73,
    Decimal32 = 0x74,
    ULong = 0x80,
    Long = 0x81,
    Double = 0x82,

    /// <summary>Milliseconds since 1970, signed.</summary>
    Timestamp = 0x83,
    Decimal64 = 0x84,
    Decimal128 = 0x94,
    Uuid = 0x98,
    Binary8 = 0xa0,
    String8 = 0xa1,
    Symbol8 = 0xa3,
    Binary32 = 0xb0,
    String32 = 0xb1,
    Symbol32 = 0xb3,
    List8 = 0xc0,
    Map8 = 0xc1,
    List32 = 0xd0,
    Map32 = 0xd1,
    Array8 = 0xe0,
    Array32 = 0xf0,
}
