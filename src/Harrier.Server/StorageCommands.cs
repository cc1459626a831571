using System.Text.Json;
using Harrier.Amqp;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Storage.Disk;

namespace Harrier.Server;

/// <summary>
/// What an operator can do with the data directory of a broker that does not run. Nothing is changed. Exit codes: 0 when all is well, 1 when something is
/// damaged or the directory cannot be looked at.
/// </summary>
public static class StorageCommands
{
    private static readonly JsonSerializerOptions JsonStyle = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Tells what is in a data directory.</summary>
    public static int Inspect(string directory, bool asJson, TextWriter output, TextWriter errors) => Run(directory, errors, report =>
    {
        if (asJson) output.WriteLine(JsonSerializer.Serialize(new StorageSummary(report), JsonStyle));
        else StorageText.Write(new StorageSummary(report), output);
        return report.Damages.Count == 0 ? 0 : 1;
    });

    /// <summary>Tells whether a data directory is whole; if it is not, the first damage.</summary>
    public static int Verify(string directory, TextWriter output, TextWriter errors) => Run(directory, errors, report =>
    {
        if (report.Damages.Count > 0)
        {
            errors.WriteLine($"harrier: damaged: {report.Damages[0]}");
            return 1;
        }
        long frames = report.Survey.LogFiles.Sum(file => file.Frames), records = report.Survey.Segments.Sum(segment => segment.Records);
        output.WriteLine($"whole: {report.Queues.Count} queues, {report.Queues.Sum(q => q.Messages)} messages; {frames} frames and {records} records read");
        return 0;
    });

    private static int Run(string directory, TextWriter errors, Func<StorageReport, int> answer)
    {
        try
        {
            var disk = new ReadOnlyDisk(directory);
            using IDisposable? directoryLock = disk.TryLock();
            if (directoryLock is null) throw new IOException("a broker is running on this data directory; stop it first");
            return answer(StorageInspector.Read(disk, new MessageFormats(AmqpServer.MessageFormats)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.WriteLine($"harrier: data directory {Path.GetFullPath(directory)}: {e.Message}");
            return 1;
        }
    }
}
