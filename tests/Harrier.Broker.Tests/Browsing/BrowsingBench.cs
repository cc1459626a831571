using Harrier.Broker.Queues;
using Harrier.Broker.Tests.Durability;
using Harrier.Broker.Tests.Features;

namespace Harrier.Broker.Tests.Browsing;

/// <summary>What browsing needs of a bench: the disk is read while the browser waits for it.</summary>
internal static class BrowsingBench
{
    private static readonly TimeSpan SafetyNet = TimeSpan.FromSeconds(10);

    /// <summary>The numbers that a browser shows, in its order.</summary>
    public static Task<List<int>> Browse(this FeatureBench bench, QueueBrowser browser) => bench.Reading(NumbersOf(browser));

    /// <summary>Waits for a task, and carries out the readings that it asks for meanwhile.</summary>
    public static async Task<T> Reading<T>(this FeatureBench bench, Task<T> task)
    {
        using var late = new CancellationTokenSource(SafetyNet);
        while (!task.IsCompleted)
        {
            late.Token.ThrowIfCancellationRequested();
            bench.Durable.ReadBack();
            await Task.Yield();
        }
        return await task;
    }

    private static async Task<List<int>> NumbersOf(QueueBrowser browser)
    {
        List<int> numbers = [];
        await foreach (BrowsedMessage shown in browser.ReadAsync()) numbers.Add(DurableBench.NumberOf(shown.Message));
        return numbers;
    }
}
