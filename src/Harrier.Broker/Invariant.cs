using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Harrier.Broker;

/// <summary>A rule of the broker's own code was broken: a bug, not something that a client did.</summary>
public sealed class InvariantException(string rule) : Exception("broken invariant: " + rule);

/// <summary>Checks rules that hold whatever clients do. Breaking one stops the queue or connection that it concerns, loudly.</summary>
internal static class Invariant
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool holds, string rule)
    {
        if (!holds) Throw(rule);
    }

    [DoesNotReturn]
    private static void Throw(string rule) => throw new InvariantException(rule);
}
