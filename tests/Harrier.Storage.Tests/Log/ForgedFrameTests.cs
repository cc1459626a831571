using System.Buffers.Binary;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Log;

/// <summary>What clients publish can look like a frame of the log, wherever it comes to stand.</summary>
public class ForgedFrameTests
{
    private const uint Salt = 0x5EED5EED;

    [Theory]
    [InlineData(0u)]
    [InlineData(Salt + 1)]
    public void A_message_that_looks_like_a_frame_proves_nothing(uint guess)
    {
        var disk = new SimDisk(1);
        var first = new LogFilePoint(1, 0, Salt);
        int units = 0;
        using (var log = new WriteAheadLog(disk, 1 << 20, first))
        {
            for (int shift = 0; shift < LogFormat.FrameHeaderSize; shift++)
            {
                LogUnit unit = log.RentUnit();
                Span<byte> body = unit.GetSpan(16 << 10)[..(16 << 10)];
                body.Clear();
                for (int at = shift; at + LogFormat.FrameHeaderSize <= body.Length; at += LogFormat.FrameHeaderSize) Forge(body[at..], guess);
                unit.Advance(body.Length);
                unit.Seal(0, (ulong)shift + 1);
                log.Append(unit);
                log.Commit();
            }
        }
        new LogReader(disk).Read(first, (in LoggedUnit _) => units++);
        units.ShouldBe(LogFormat.FrameHeaderSize);
    }

    private static void Forge(Span<byte> to, uint salt)
    {
        LogFormat.WriteFrameHeader(to, 0, position: 1L << 62, durable: 1L << 62, salt);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], LogFormat.HeaderCrc(to[..LogFormat.FrameHeaderSize]));
    }
}
