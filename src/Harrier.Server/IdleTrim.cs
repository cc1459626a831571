namespace Harrier.Server;

/// <summary>
/// Gives memory back to the system after a burst: the runtime collects when a program allocates, and a broker that has become idle allocates nothing, so that it would
/// hold on to the memory of a backlog that is long gone. Called about every second, by one thread.
/// </summary>
internal sealed class IdleTrim
{
    // What an idle broker may allocate between two checks, and what is worth a collection.
    private const long IdleBytes = 1 << 20;
    private const long WorthwhileBytes = 64 << 20;

    private long _allocatedBefore;
    private bool _isTrimmed;

    public void Check()
    {
        long allocated = GC.GetTotalAllocatedBytes();
        bool isIdle = allocated - _allocatedBefore < IdleBytes;
        _allocatedBefore = allocated;
        if (!isIdle)
        {
            _isTrimmed = false;
            return;
        }
        if (_isTrimmed) return;
        _isTrimmed = true;
        // Committed memory counts as of the last collection, which may have been before the backlog went: garbage shows in neither figure.
        if (GC.GetGCMemoryInfo().TotalCommittedBytes > WorthwhileBytes) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
