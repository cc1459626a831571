using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harrier.Protocol.Amqp10;

/// <summary>Tells bytes that are not there from bytes that are none.</summary>
public static class OptionalBytes
{
    extension(ReadOnlySpan<byte> bytes)
    {
        /// <summary>Whether this is <c>default</c>, a field that is null; an empty string or binary is not.</summary>
        public bool IsNull => bytes.IsEmpty && Unsafe.IsNullRef(ref MemoryMarshal.GetReference(bytes));
    }
}
