namespace Harrier.Storage.Log;

/// <summary>Waits for units to be on the disk.</summary>
public interface IDurabilityWaiter
{
    /// <summary>What was waited for is durable. Called on the log's thread, which has no time: the work is to be done elsewhere.</summary>
    void OnDurable();
}
