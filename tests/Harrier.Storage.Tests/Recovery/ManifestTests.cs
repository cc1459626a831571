using System.Buffers.Binary;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Harrier.Storage.Recovery;
using Harrier.Storage.Segments;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Recovery;

public class ManifestTests
{
    private const string Name = "manifest";

    private readonly SimDisk _disk = new(1);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1000)]
    [InlineData(1, 0)]
    [InlineData(100, 5000)]
    public void What_was_written_is_read(int segments, int stateSize)
    {
        Manifest written = Create(seed: 1, segments, stateSize);
        written.Write(_disk);
        Text(Manifest.Read(_disk)).ShouldBe(Text(written));
        Text(Manifest.Read(_disk.Clone())).ShouldBe(Text(written), "it is durable");
        _disk.List("").ShouldBe([Name]);
    }

    [Fact]
    public void A_directory_without_a_manifest_has_none() => Manifest.Read(_disk).ShouldBeNull();

    [Fact]
    public void The_last_one_counts()
    {
        for (int i = 0; i < 5; i++)
        {
            Create(seed: i, segments: 5 - i, stateSize: 10 * i).Write(_disk);
            Text(Manifest.Read(_disk)).ShouldBe(Text(Create(seed: i, segments: 5 - i, stateSize: 10 * i)));
        }
    }

    [Fact]
    public void A_flip_of_any_bit_is_refused()
    {
        Create(seed: 1, segments: 3, stateSize: 50).Write(_disk);
        int length = _disk.Snapshot(Name).Length;
        for (int at = 0; at < length; at++)
            for (int bit = 0; bit < 8; bit++)
            {
                _disk.Corrupt(Name, at, (byte)(1 << bit));
                Should.Throw<DataDamagedException>(() => Manifest.Read(_disk), $"bit {bit} of byte {at}");
                _disk.Corrupt(Name, at, (byte)(1 << bit));
            }
        Manifest.Read(_disk).ShouldNotBeNull();
    }

    [Fact]
    public void A_manifest_that_was_cut_is_refused()
    {
        Create(seed: 1, segments: 3, stateSize: 50).Write(_disk);
        for (int length = _disk.Snapshot(Name).Length - 1; length >= 0; length--)
        {
            _disk.Truncate(Name, length);
            Should.Throw<DataDamagedException>(() => Manifest.Read(_disk), $"cut at {length}");
        }
    }

    [Fact]
    public void A_newer_format_is_refused_with_a_message_that_says_so()
    {
        Create(seed: 1, segments: 3, stateSize: 50).Write(_disk);
        byte[] bytes = _disk.Snapshot(Name);
        bytes[8]++;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(^4..), Crc32C.Of(bytes.AsSpan(..^4)));
        using (IDiskFile file = _disk.Open(Name)) file.Write(bytes, 0);
        string message = Should.Throw<DataDamagedException>(() => Manifest.Read(_disk)).Message;
        message.ShouldContain($"version {Manifest.Version + 1}");
        message.ShouldContain("start a newer one");
    }

    [Fact]
    public void A_crash_at_any_point_leaves_the_old_or_the_new_one()
    {
        string old = Text(Create(seed: 1, segments: 3, stateSize: 3000)), next = Text(Create(seed: 2, segments: 40, stateSize: 2000));
        HashSet<string> seen = [];
        for (int point = 1; point <= 20; point++)
            for (int seed = 0; seed < 20; seed++)
            {
                var disk = new SimDisk(seed);
                Create(seed: 1, segments: 3, stateSize: 3000).Write(disk);
                long first = disk.Points;
                disk.OnPoint = p => { if (p.Number == first + point) throw new SimulatedCrashException(); };
                bool isWritten = false;
                try
                {
                    Create(seed: 2, segments: 40, stateSize: 2000).Write(disk);
                    isWritten = true;
                }
                catch (SimulatedCrashException)
                {
                }
                SimDisk found = disk.Crash();
                string text = Text(Manifest.Read(found));
                text.ShouldBeOneOf(old, next);
                if (isWritten) text.ShouldBe(next);
                seen.Add(text);
                Create(seed: 3, segments: 1, stateSize: 1).Write(found);
                Text(Manifest.Read(found)).ShouldBe(Text(Create(seed: 3, segments: 1, stateSize: 1)), "what a crash left is not in the way");
            }
        seen.Count.ShouldBe(2);
    }

    [Fact]
    public void A_failure_leaves_the_old_one()
    {
        Create(seed: 1, segments: 3, stateSize: 3000).Write(_disk);
        _disk.CapacityBytes = _disk.Snapshot(Name).Length + 100;
        Should.Throw<DiskFullException>(() => Create(seed: 2, segments: 3, stateSize: 3000).Write(_disk));
        _disk.CapacityBytes = null;
        _disk.FailSync = name => name.StartsWith(Name, StringComparison.Ordinal);
        Should.Throw<IOException>(() => Create(seed: 2, segments: 3, stateSize: 3000).Write(_disk));
        _disk.FailSync = null;
        Text(Manifest.Read(_disk)).ShouldBe(Text(Create(seed: 1, segments: 3, stateSize: 3000)));
        Create(seed: 2, segments: 3, stateSize: 3000).Write(_disk);
        Text(Manifest.Read(_disk)).ShouldBe(Text(Create(seed: 2, segments: 3, stateSize: 3000)));
    }

    private static Manifest Create(int seed, int segments, int stateSize)
    {
        var random = new Random(seed);
        byte[] state = new byte[stateSize];
        random.NextBytes(state);
        var point = new LogFilePoint((ulong)random.NextInt64(), random.NextInt64());
        return new Manifest(point, (ulong)random.NextInt64(), [.. Enumerable.Range(0, segments).Select(_ => new SegmentEntry((ulong)random.NextInt64(), random.NextInt64()))], state);
    }

    private static string Text(Manifest? manifest) =>
        $"{manifest!.LogFrom} {manifest.NextSegment} {string.Join(',', manifest.Segments)} {Convert.ToHexString(manifest.State.Span)}";
}
