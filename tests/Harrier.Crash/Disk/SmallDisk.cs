using System.Diagnostics;

namespace Harrier.Crash.Disk;

/// <summary>
/// A file system of a test's own, small enough to be filled: ext4 in a file, or memory where a file cannot be mounted. It takes the right to mount.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("harrier-disk-").FullName;
    private readonly int _sizeMb;
    private bool _isExt4;

    private SmallDisk(int sizeMb) => _sizeMb = sizeMb;

    /// <summary>Where a broker may keep its data.</summary>
    public string Data => Path.Combine(MountPoint, "data");

    private string MountPoint => Path.Combine(_home, "mnt");

    private string Image => Path.Combine(_home, "image");

    private string ForeignFile => Path.Combine(MountPoint, "foreign");

    public static async Task<SmallDisk> CreateAsync(int sizeMb)
    {
        var disk = new SmallDisk(sizeMb);
        Directory.CreateDirectory(disk.MountPoint);
        await using (FileStream image = File.Create(disk.Image)) image.SetLength((long)sizeMb << 20);
        disk._isExt4 = await TryRunAsync("mkfs.ext4", "-q", "-F", disk.Image) is null && await TryRunAsync("mount", "-o", "loop", disk.Image, disk.MountPoint) is null;
        if (!disk._isExt4) await RunAsync("mount", "-t", "tmpfs", "-o", $"size={sizeMb}m", "tmpfs", disk.MountPoint);
        return disk;
    }

    /// <summary>Somebody else takes all the space that is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(ForeignFile, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (int block = 1 << 20; block >= 4096; block /= 16)
        {
            try
            {
                byte[] bytes = new byte[block];
                while (true) file.Write(bytes);
            }
            catch (IOException)
            {
                // Not this much is left; perhaps a little less.
            }
        }
    }

    /// <summary>And gives it back.</summary>
    public void Free() => File.Delete(ForeignFile);

    /// <summary>
    /// From now on nothing can be written, in the middle of whatever is going on. Open files would keep an ordinary remount away; this is what the kernel
    /// does by itself when a disk fails under ext4. In memory the nearest to it is that there is no space any more.
    /// </summary>
    public Task BreakAsync() => RunAsync("mount", "-o", _isExt4 ? "remount,abort" : "remount,size=1", MountPoint);

    /// <summary>What an operator does when the disk is well again. Nobody may use it meanwhile.</summary>
    public async Task RepairAsync()
    {
        if (!_isExt4)
        {
            await RunAsync("mount", "-o", $"remount,size={_sizeMb}m", MountPoint);
            return;
        }
        await RunAsync("umount", MountPoint);
        await TryRunAsync("e2fsck", "-fy", Image); // its exit code tells what it has mended
        await RunAsync("mount", "-o", "loop", Image, MountPoint);
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", MountPoint);
        Directory.Delete(_home, recursive: true);
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        if (await TryRunAsync(command, arguments) is { } error) throw new InvalidOperationException($"{command} {string.Join(' ', arguments)}: {error}");
    }

    /// <summary>Runs a command; null, or what it complained of.</summary>
    private static async Task<string?> TryRunAsync(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string errors = await process.StandardError.ReadToEndAsync();
            await output;
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? null : $"exit code {process.ExitCode}: {errors}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return e.Message; // there is no such command here
        }
    }
}
