namespace Harrier.Protocol.Amqp10;
public static partial class Descriptors { public const ulong Unknown = ulong.MaxValue; public static ulong Find(ReadOnlySpan<byte> name) => Unknown; }
