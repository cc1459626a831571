namespace Harrier.Crash;

/// <summary>How long something that must happen may take, and waiting for it.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task EventuallyAsync(Func<bool> condition, string what) => EventuallyAsync(() => Task.FromResult(condition()), () => what);

    public static Task EventuallyAsync(Func<bool> condition, Func<string> what) => EventuallyAsync(() => Task.FromResult(condition()), what);

    public static async Task EventuallyAsync(Func<Task<bool>> condition, Func<string> what)
    {
        using var late = new CancellationTokenSource(Limit);
        using var clock = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        try
        {
            while (!await condition()) await clock.WaitForNextTickAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"waited in vain until {what()}");
        }
    }

    public static async Task InTimeAsync(this Task task, string what)
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"waited in vain for {what}", e);
        }
    }
}
