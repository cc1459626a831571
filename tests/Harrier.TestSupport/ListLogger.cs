using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Harrier.TestSupport;

/// <summary>One line of a log.</summary>
public sealed record LogEntry(LogLevel Level, int EventId, string Text, Exception? Exception);

/// <summary>Keeps what is logged. Thread-safe.</summary>
public sealed class ListLogger<T> : ILogger<T>
{
    private readonly ConcurrentQueue<LogEntry> _entries = new();

    public IReadOnlyCollection<LogEntry> Entries => _entries;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _entries.Enqueue(new LogEntry(logLevel, eventId.Id, formatter(state, exception), exception));
}
