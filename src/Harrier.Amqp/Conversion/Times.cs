namespace Harrier.Amqp.Conversion;

/// <summary>Points in time: seconds since 1970 in 0-9-1, milliseconds in 1.0.</summary>
internal static class Times
{
    /// <summary>The second that a point in time is in.</summary>
    public static long SecondsOf(long timeMs) => timeMs / 1000 - (timeMs % 1000 < 0 ? 1 : 0);

    /// <summary>The milliseconds of a point in time; one that they cannot express becomes the last or first that they can.</summary>
    public static long MillisecondsOf(long seconds) => Math.Clamp(seconds, long.MinValue / 1000, long.MaxValue / 1000) * 1000;
}
