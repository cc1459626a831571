using System.Runtime.CompilerServices;
using Harrier.Broker.Queues;

namespace Harrier.Simulation.Accounts;

/// <summary>What a queue machine holds, for whoever checks what it does.</summary>
internal static class MachineView
{
    public static ulong NextSequence(QueueMachine machine) => NextSequenceOf(machine);

    /// <summary>Ready messages of which the queue knows more than that they stand in a run.</summary>
    public static IEnumerable<QueueEntry> Ready(QueueMachine machine) =>
        ReadyOf(machine).Lanes.SelectMany(lane => lane.Returned.Concat(lane.Window).Concat(lane.Fresh));

    /// <summary>The run that may hold a message: it tells only which ones it does not hold.</summary>
    public static DiskRun? FindRun(QueueMachine machine, byte lane, ulong sequence) =>
        ReadyOf(machine).Lanes.FirstOrDefault(l => l.Number == lane)?.FindRun(sequence);

    public static IEnumerable<DiskRun> Runs(QueueMachine machine) => ReadyOf(machine).Lanes.SelectMany(lane => lane.Runs);

    /// <summary>Unacked messages, and those aside.</summary>
    public static IEnumerable<QueueEntry> Unready(QueueMachine machine) => UnreadyOf(machine);

    /// <summary>The keys that it remembers.</summary>
    public static IEnumerable<(byte Key, long ForgottenAtMs)> Keys(QueueMachine machine) =>
        KeysOf(machine)?.Keys.Select(key => (key.Key[0], key.ForgottenAtMs)) ?? [];

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_nextSequence")]
    private static extern ref ulong NextSequenceOf(QueueMachine machine);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_ready")]
    private static extern ref ReadyMessages ReadyOf(QueueMachine machine);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_keys")]
    private static extern ref KeyWindow? KeysOf(QueueMachine machine);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Unready")]
    private static extern IEnumerable<QueueEntry> UnreadyOf(QueueMachine machine);
}
