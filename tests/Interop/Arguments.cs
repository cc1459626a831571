namespace Harrier.Interop.Tests;

/// <summary>Arguments of queues that many scenarios use.</summary>
internal static class Arguments
{
    public static Dictionary<string, object?> Of(string name, object? value) => new() { [name] = value };

    public static Dictionary<string, object?> And(this Dictionary<string, object?> arguments, string name, object? value) =>
        new(arguments) { [name] = value };

    public static Dictionary<string, object?> TimeToLive(long milliseconds) => Of("x-message-ttl", milliseconds);

    /// <summary>Dead letters go to this queue, by the default exchange.</summary>
    public static Dictionary<string, object?> DeadLettersTo(string queue) => DeadLetters("", queue);

    public static Dictionary<string, object?> DeadLetters(string exchange, string? key = null)
    {
        var arguments = Of("x-dead-letter-exchange", exchange);
        if (key is not null) arguments["x-dead-letter-routing-key"] = key;
        return arguments;
    }
}
