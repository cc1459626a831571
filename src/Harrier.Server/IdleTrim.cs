namespace Harrier.Server;

/// <summary>
/// Gives memory back to the system after a burst: the runtime collects when a program allocates, and a broker that has become idle allocates nothing, so that it would
/// hold on to the memory of a backlog that is long gone. Waits for the process to be idle because the collection stops it for a moment. Called about every
/// second, by one thread.
/// </summary>
internal sealed class IdleTrim
{
    // Work items of the thread pool between two checks; and what is worth a collection.
    private const long IdleWorkItems = 100;
    private const long WorthwhileBytes = 64 << 20;

    private long _workItemsBefore;
    private bool _isTrimmed;

    public void Check()
    {
        long workItems = ThreadPool.CompletedWorkItemCount;
        bool isIdle = workItems - _workItemsBefore < IdleWorkItems;
        _workItemsBefore = workItems;
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
