using Harrier.Broker.Durability;
using Harrier.Storage.Recovery;

namespace Harrier.Server;

/// <summary>Writes a summary of a data directory as tables.</summary>
internal static class StorageText
{
    public static void Write(StorageSummary summary, TextWriter output)
    {
        if (summary.Manifest is { } manifest)
        {
            output.WriteLine(
                $"manifest: format version {manifest.FormatVersion}, log from file {manifest.LogFrom} (position {manifest.LogPosition}), next segment {manifest.NextSegment}");
        }
        WriteTable(output, "segments", ["number", "length", "records", "state"], summary.Segments.Select(Row));
        WriteTable(output, "log files", ["number", "start", "frames", "units", "bytes", "end"], summary.LogFiles.Select(Row));
        WriteTable(output, "queues", ["vhost", "queue", "messages", "in runs", "single", "in the log"], summary.Queues.Select(Row));
        foreach (string damage in summary.Damages) output.WriteLine($"damaged: {damage}");
    }

    private static string[] Row(SurveyedSegment segment) =>
        [$"{segment.Number}", $"{segment.Length}", $"{segment.Records}", segment.Damage is null ? "whole" : "damaged"];

    private static string[] Row(SurveyedLogFile file) =>
        [$"{file.Number}", file.Start?.ToString() ?? "spare", $"{file.Frames}", $"{file.Units}", $"{file.Bytes}", $"{file.End}"];

    private static string[] Row(QueueReport queue)
    {
        string runs = string.Join(" + ", queue.Runs.Select(run => run.Messages));
        return [queue.VirtualHost, queue.Queue, $"{queue.Messages}", runs.Length == 0 ? "0" : runs, $"{queue.SingleMessages}", $"{queue.LogMessages}"];
    }

    private static void WriteTable(TextWriter output, string title, string[] heads, IEnumerable<string[]> rows)
    {
        string[][] all = [heads, .. rows];
        output.WriteLine();
        output.WriteLine($"{title}: {all.Length - 1}");
        if (all.Length == 1) return;
        int[] widths = [.. heads.Select((_, column) => all.Max(row => row[column].Length))];
        foreach (string[] row in all)
            output.WriteLine(("  " + string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])))).TrimEnd());
    }
}
