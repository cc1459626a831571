using Harrier.Crash.Disk;

namespace Harrier.Crash;

/// <summary>Disks that run full, are filled by others, or fail. Whatever happens, what was confirmed is there afterwards.</summary>
public sealed class DiskFailureTests
{
    private const int DiskMb = 128;
    private const string LowOnDisk = "low on disk"; // RabbitMQ's words

    private static readonly (string, string)[] SmallDiskOptions = [("HARRIER_LogFileBytes", "4194304"), ("HARRIER_DiskFreeBytesMin", $"{40 << 20}")];

    private readonly Deposits _deposits = new();

    [Fact]
    public async Task Publishers_wait_on_a_low_disk_until_consumers_have_made_room()
    {
        await using SmallDisk disk = await SmallDisk.CreateAsync(DiskMb);
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions))
        {
            await using Depositor depositor = await Depositor.StartAsync(broker, _deposits);
            (await BlockedAsync(depositor, broker)).ShouldBe(LowOnDisk);

            await Withdrawer.TakeAsync(broker, _deposits, () => depositor.Unblocked.IsCompleted);

            await depositor.ConfirmsAsync(100);
            await depositor.StopAsync();
            await broker.KillAsync();
        }
        await CheckAfterRestartAsync(disk);
    }

    [Fact]
    public async Task A_broker_that_is_killed_on_a_low_disk_starts_again_with_everything()
    {
        await using SmallDisk disk = await SmallDisk.CreateAsync(DiskMb);
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions))
        {
            await using Depositor depositor = await Depositor.StartAsync(broker, _deposits);
            (await BlockedAsync(depositor, broker)).ShouldBe(LowOnDisk);
            await broker.KillAsync();
        }
        await CheckAfterRestartAsync(disk);
    }

    [Fact]
    public async Task A_disk_that_somebody_else_has_filled_is_waited_for()
    {
        await using SmallDisk disk = await SmallDisk.CreateAsync(DiskMb);
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions))
        {
            await using Depositor depositor = await Depositor.StartAsync(broker, _deposits);
            await depositor.ConfirmsAsync(500);
            disk.Fill();
            (await BlockedAsync(depositor, broker)).ShouldBe(LowOnDisk);
            int enough = _deposits.Acked.Count + 200;
            await Withdrawer.TakeAsync(broker, _deposits, () => _deposits.Acked.Count >= enough); // consumers go on all the while

            disk.Free();

            await depositor.Unblocked.InTimeAsync("connection.unblocked");
            await depositor.ConfirmsAsync(100);
            await depositor.StopAsync();
            await broker.KillAsync();
        }
        await CheckAfterRestartAsync(disk);
    }

    [Fact]
    public async Task A_broker_that_is_killed_on_a_full_disk_is_back_when_there_is_room()
    {
        await using SmallDisk disk = await SmallDisk.CreateAsync(DiskMb);
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions))
        {
            await using Depositor depositor = await Depositor.StartAsync(broker, _deposits);
            await depositor.ConfirmsAsync(500);
            disk.Fill();
            await BlockedAsync(depositor, broker);
            await broker.KillAsync();
        }
        // It may serve on a full disk or refuse to; either way it must do no harm, and not wait for ever.
        await using (HarrierProcess attempt = HarrierProcess.Launch(disk.Data, SmallDiskOptions))
        {
            await Patience.EventuallyAsync(() => attempt.HasExited || attempt.IsServing, "the broker serves or gives up");
            if (!attempt.IsServing) (await attempt.WaitForExitAsync()).ShouldBe(1, attempt.Output);
        }
        disk.Free();
        await CheckAfterRestartAsync(disk);
    }

    [Fact]
    public async Task Nothing_is_confirmed_that_a_failed_disk_has_not_taken()
    {
        await using SmallDisk disk = await SmallDisk.CreateAsync(DiskMb);
        await using (HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions))
        {
            await using Depositor depositor = await Depositor.StartAsync(broker, _deposits);
            await depositor.ConfirmsAsync(500);

            await disk.BreakAsync();

            await Patience.EventuallyAsync(() => broker.HasExited || depositor.Blocked.IsCompleted, "the broker stops or holds its publishers back");
            if (broker.HasExited) (await broker.WaitForExitAsync()).ShouldNotBe(0, broker.Output);
            else await broker.KillAsync();
        }
        await disk.RepairAsync();
        await CheckAfterRestartAsync(disk);
    }

    private static async Task<string> BlockedAsync(Depositor depositor, HarrierProcess broker)
    {
        await Patience.EventuallyAsync(() => depositor.Blocked.IsCompleted || broker.HasExited, () => $"connection.blocked comes; the broker says:\n{broker.Output}");
        broker.HasExited.ShouldBeFalse(broker.Output);
        return await depositor.Blocked;
    }

    /// <summary>Everything is there, and there is room for more.</summary>
    private async Task CheckAfterRestartAsync(SmallDisk disk)
    {
        await using HarrierProcess broker = await HarrierProcess.StartAsync(disk.Data, SmallDiskOptions);
        await Withdrawer.DrainAsync(broker, _deposits);
        _deposits.Check();
        await using (Depositor depositor = await Depositor.StartAsync(broker, _deposits)) await depositor.ConfirmsAsync(100);
        (await broker.TerminateAsync()).ShouldBe(0, broker.Output);
    }
}
