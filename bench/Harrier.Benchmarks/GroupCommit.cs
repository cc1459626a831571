using System.Globalization;
using Harrier.Storage.Disk;
using Harrier.Storage.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harrier.Benchmarks;

/// <summary>
/// What the log alone makes durable: records of a size, appended in units as a shard would, with a window of records that are not durable yet. No broker, no network.
/// Arguments: directory, bytes of a record, window, records of a unit, seconds.
/// </summary>
internal static class GroupCommit
{
    public static void Run(string[] args)
    {
        string directory = args.Length > 0 ? args[0] : "./group-commit";
        int[] numbers = [1024, 1000, 50, 5];
        for (int i = 1; i < args.Length; i++) numbers[i - 1] = int.Parse(args[i], CultureInfo.InvariantCulture);
        (int size, int window, int unitRecords, int seconds) = (numbers[0], numbers[1], numbers[2], numbers[3]);
        var disk = new RealDisk(directory);
        using var log = new WriteAheadLog(disk, 128 << 20, new LogReader(disk).FindNext(new LogFilePoint(1, 0)));
        using var thread = new LogThread(log, e => Environment.FailFast("the disk failed", e), NullLogger.Instance);
        byte[] record = new byte[size];
        new Random(1).NextBytes(record);
        var pending = new Queue<(long Ticket, long Time)>();
        var latencies = new List<double>();
        TimeProvider time = TimeProvider.System;
        long began = time.GetTimestamp(), records = 0;
        ulong index = 0;
        while (time.GetElapsedTime(began).TotalSeconds < seconds)
        {
            LogUnit unit = log.RentUnit();
            for (int i = 0; i < unitRecords; i++)
            {
                record.CopyTo(unit.GetSpan(size));
                unit.Advance(size);
            }
            unit.IsAwaited = true;
            unit.Seal(0, ++index);
            pending.Enqueue((log.Append(unit), time.GetTimestamp()));
            records += unitRecords;
            while (pending.Count * unitRecords >= window)
            {
                (long ticket, long since) = pending.Dequeue();
                log.WhenDurableAsync(ticket).GetAwaiter().GetResult();
                latencies.Add(time.GetElapsedTime(since).TotalMilliseconds);
            }
            if (log.LiveFileCount > 2)
            {
                log.Retire(log.CurrentFile.Number);
                log.PrepareFiles();
            }
        }
        double elapsed = time.GetElapsedTime(began).TotalSeconds;
        latencies.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"group commit {size} B, window {window}, {unitRecords} a unit: {records / elapsed:F0}/s, {log.SyncCount / elapsed:F0} syncs/s, p50 {latencies[latencies.Count / 2]:F3} ms, p99 {latencies[latencies.Count * 99 / 100]:F3} ms"));
    }
}
