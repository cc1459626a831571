using Harrier.Storage.Disk;
using Harrier.Storage.Segments;
using Harrier.TestSupport;
using Shouldly;
using Xunit;

namespace Harrier.Storage.Tests.Segments;

public class SegmentTests
{
    private readonly SimDisk _disk = new(1);

    [Fact]
    public void Records_come_back_whatever_the_size_of_the_window()
    {
        List<Entry> written = Records(seed: 1, count: 40, sizeMax: 300);
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Write(set, written);
        for (int window = SegmentFormat.RecordHeaderSize; window < 1000; window++) ReadAll(file, window).ShouldBe(written);
        ReadAll(file, int.MaxValue).ShouldBe(written);
    }

    [Fact]
    public void Records_of_all_sizes_come_back_after_the_file_is_opened_again()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            var disk = new SimDisk(seed);
            List<Entry> written = Records(seed, count: 30, sizeMax: 1 << seed % 18);
            SegmentEntry entry;
            using (var set = new SegmentSet(disk, 1))
            {
                disk.SyncFolder("");
                Write(set, written);
                entry = set.Entries.Single();
            }
            using var again = new SegmentSet(disk.Clone(), 2);
            ReadAll(again.Open(entry), 4096).ShouldBe(written);
        }
    }

    [Fact]
    public void A_record_may_be_larger_than_the_buffer_and_the_window()
    {
        List<Entry> written = [Record(1, 10), Record(2, 3 << 20), Record(3, 0), Record(4, 10)];
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Write(set, written);
        ReadAll(file, 100).ShouldBe(written);
    }

    [Fact]
    public void The_place_of_a_record_is_known_when_it_is_added()
    {
        using var set = new SegmentSet(_disk, 1);
        using SegmentWriter writer = set.Create(isTemporary: false);
        List<(long Offset, int Size)> places = [];
        List<Entry> written = Records(seed: 2, count: 20, sizeMax: 100_000);
        foreach (Entry record in written)
        {
            byte[] payload = Convert.FromHexString(record.Payload);
            long offset = writer.Offset;
            payload.CopyTo(writer.GetPayload(payload.Length));
            places.Add((offset, writer.Add(record.Key, payload.Length)));
        }
        writer.Finish();
        set.Add(writer.File);
        foreach (((long offset, int size), Entry record) in places.Zip(written))
        {
            SegmentRecords records = writer.File.Read(offset, offset + size, size);
            records.TryMoveNext().ShouldBeTrue();
            (records.Offset, records.Size, records.NextOffset).ShouldBe((offset, size, offset + size));
            new Entry(records.Key, Convert.ToHexString(records.Payload)).ShouldBe(record);
            records.TryMoveNext().ShouldBeFalse();
        }
    }

    [Fact]
    public void Copied_records_are_the_same()
    {
        List<Entry> written = Records(seed: 3, count: 50, sizeMax: 100_000);
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Write(set, written);
        using SegmentWriter writer = set.Create(isTemporary: false);
        writer.Copy(file, SegmentFormat.FileHeaderSize, file.Length);
        writer.Finish();
        set.Add(writer.File);
        ReadAll(writer.File, 1000).ShouldBe(written);
    }

    [Fact]
    public void A_flip_of_any_byte_of_a_record_is_refused()
    {
        using var set = new SegmentSet(_disk, 1);
        List<Entry> written = Records(seed: 4, count: 10, sizeMax: 60);
        SegmentFile file = Write(set, written);
        foreach (byte mask in (byte[])[0x01, 0x80, 0xFF])
            for (int at = SegmentFormat.FileHeaderSize; at < file.Length; at++)
            {
                _disk.Corrupt(SegmentFormat.NameOf(1), at, mask);
                foreach (int window in (int[])[1, 100, 4096])
                    Should.Throw<DataDamagedException>(() => ReadAll(file, window), $"byte {at}").Message.ShouldContain(SegmentFormat.NameOf(1));
                _disk.Corrupt(SegmentFormat.NameOf(1), at, mask);
            }
        ReadAll(file, 100).ShouldBe(written);
    }

    [Fact]
    public void A_flip_of_the_header_is_refused_when_the_file_is_opened()
    {
        SegmentEntry entry;
        using (var set = new SegmentSet(_disk, 1))
        {
            Write(set, Records(seed: 5, count: 3, sizeMax: 10));
            entry = set.Entries.Single();
        }
        for (int at = 0; at < 28; at++)
        {
            _disk.Corrupt(SegmentFormat.NameOf(1), at, 0x04);
            using var again = new SegmentSet(_disk, 2);
            Should.Throw<DataDamagedException>(() => again.Open(entry), $"byte {at}");
            _disk.Corrupt(SegmentFormat.NameOf(1), at, 0x04);
        }
    }

    [Fact]
    public void A_file_of_a_newer_format_is_refused_with_a_message_that_says_so()
    {
        SegmentEntry entry;
        using (var set = new SegmentSet(_disk, 1))
        {
            Write(set, []);
            entry = set.Entries.Single();
        }
        byte[] header = _disk.Snapshot(SegmentFormat.NameOf(1))[..SegmentFormat.FileHeaderSize];
        header[8]++;
        BitConverter.TryWriteBytes(header.AsSpan(24), Crc32C.Of(header.AsSpan(..24)));
        using (IDiskFile file = _disk.Open(SegmentFormat.NameOf(1))) file.Write(header, 0);
        using var again = new SegmentSet(_disk, 2);
        Should.Throw<DataDamagedException>(() => again.Open(entry)).Message.ShouldContain("start a newer one");
    }

    [Fact]
    public void A_missing_file_a_shorter_one_and_another_one_are_refused()
    {
        SegmentEntry first, second;
        using (var set = new SegmentSet(_disk, 1))
        {
            Write(set, Records(seed: 6, count: 3, sizeMax: 100));
            Write(set, Records(seed: 7, count: 3, sizeMax: 100));
            (first, second) = (set.Entries.First(), set.Entries.Last());
        }
        using var again = new SegmentSet(_disk, 3);
        Should.Throw<DataDamagedException>(() => again.Open(new SegmentEntry(9, 100))).Message.ShouldContain("missing");
        Should.Throw<DataDamagedException>(() => again.Open(first with { Length = first.Length + 1 })).Message.ShouldContain("bytes");
        _disk.Rename(SegmentFormat.NameOf(2), SegmentFormat.NameOf(1));
        Should.Throw<DataDamagedException>(() => again.Open(first with { Length = 40 })).Message.ShouldContain("another segment");
        second.Number.ShouldBe(2ul);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(27)]
    [InlineData(28)]
    [InlineData(127)]
    public void A_record_that_does_not_end_where_it_should_is_refused(int missing)
    {
        using var set = new SegmentSet(_disk, 1);
        SegmentFile file = Write(set, [Record(1, 100)]);
        long end = SegmentFormat.FileHeaderSize + missing;
        Should.Throw<DataDamagedException>(() => file.Read(SegmentFormat.FileHeaderSize, end, 4096).TryMoveNext() ? 0 : throw new DataDamagedException("no whole record"));
        Should.Throw<DataDamagedException>(() => file.Read(file.Length, file.Length + 100, 4096));
    }

    private static SegmentFile Write(SegmentSet set, List<Entry> records)
    {
        using SegmentWriter writer = set.Create(isTemporary: false);
        foreach (Entry record in records)
        {
            byte[] payload = Convert.FromHexString(record.Payload);
            payload.CopyTo(writer.GetPayload(payload.Length));
            writer.Add(record.Key, payload.Length).ShouldBe(SegmentFormat.RecordHeaderSize + payload.Length);
        }
        writer.Finish();
        set.Add(writer.File);
        return writer.File;
    }

    private static List<Entry> ReadAll(SegmentFile file, int window)
    {
        List<Entry> found = [];
        for (long offset = SegmentFormat.FileHeaderSize; offset < file.Length;)
        {
            SegmentRecords records = file.Read(offset, file.Length, window);
            while (records.TryMoveNext()) found.Add(new Entry(records.Key, Convert.ToHexString(records.Payload)));
            records.NextOffset.ShouldBeGreaterThan(offset);
            offset = records.NextOffset;
        }
        return found;
    }

    private static List<Entry> Records(int seed, int count, int sizeMax)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(1, count).Select(i =>
        {
            byte[] payload = new byte[random.Next(sizeMax + 1)];
            random.NextBytes(payload);
            var key = new SegmentKey(random.NextInt64(), (ulong)random.NextInt64(), (SegmentFlags)random.Next(2), (ushort)random.Next(1 << 16));
            return new Entry(key, Convert.ToHexString(payload));
        })];
    }

    private static Entry Record(ulong sequence, int size) => new(new SegmentKey(1, sequence, SegmentFlags.None, 0), Convert.ToHexString(new byte[size]));

    private sealed record Entry(SegmentKey Key, string Payload);
}
