using Harrier.Broker.Flow;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Flow;

public class FlowTests
{
    private readonly FlowGate _gate = new();

    [Fact]
    public void An_open_gate_is_not_waited_at()
    {
        _gate.IsOpen.ShouldBeTrue();
        _gate.WaitAsync(CancellationToken.None).IsCompletedSuccessfully.ShouldBeTrue();
        _gate.ReasonText.ShouldBe("");
    }

    [Fact]
    public async Task The_gate_opens_when_the_last_reason_goes()
    {
        _gate.Set(FlowReasons.Memory, true).ShouldBeTrue();
        _gate.Set(FlowReasons.Memory, true).ShouldBeFalse("nothing changed");
        Task waiting = _gate.WaitAsync(CancellationToken.None);
        _gate.Set(FlowReasons.Disk, true).ShouldBeTrue();
        _gate.ReasonText.ShouldBe("low on memory & low on disk");
        _gate.Set(FlowReasons.Memory, false).ShouldBeTrue();
        _gate.ReasonText.ShouldBe("low on disk");
        (_gate.IsOpen, waiting.IsCompleted).ShouldBe((false, false));
        _gate.Set(FlowReasons.Disk, false).ShouldBeTrue();
        await waiting;
        _gate.IsOpen.ShouldBeTrue();
        _gate.Set(FlowReasons.Disk, false).ShouldBeFalse();
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        _gate.Set(FlowReasons.Memory, true);
        using var stop = new CancellationTokenSource();
        Task waiting = _gate.WaitAsync(stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
        Task other = _gate.WaitAsync(CancellationToken.None);
        _gate.Set(FlowReasons.Memory, false);
        await other;
    }

    [Fact]
    public async Task Nobody_is_left_waiting_at_an_open_gate()
    {
        Task[] publishers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 2_000; i++) await _gate.WaitAsync(CancellationToken.None);
        }))];
        Task all = Task.WhenAll(publishers);
        while (!all.IsCompleted)
        {
            _gate.Set(FlowReasons.Memory, true);
            _gate.Set(FlowReasons.Memory, false);
        }
        await all;
    }

    [Fact]
    public void The_watermark_closes_above_and_opens_a_little_below()
    {
        long used = 0;
        var watermark = new MemoryWatermark(1000, () => used, _gate, NullLogger<MemoryWatermark>.Instance);
        foreach ((long reading, bool isOpen) in new[]
        {
            (0L, true), (1000, true), (1001, false), (1000, false), (951, false), (950, true), (990, true), (5000, false), (0, true),
        })
        {
            used = reading;
            watermark.Check();
            _gate.IsOpen.ShouldBe(isOpen, $"at {reading}");
        }
    }

    [Fact]
    public void The_watermark_leaves_other_reasons_alone()
    {
        long used = 2000;
        var watermark = new MemoryWatermark(1000, () => used, _gate, NullLogger<MemoryWatermark>.Instance);
        _gate.Set(FlowReasons.Disk, true);
        watermark.Check();
        used = 0;
        watermark.Check();
        _gate.ReasonText.ShouldBe("low on disk");
    }

    [Fact]
    public void Crossing_the_watermark_is_logged_once_each_way()
    {
        var log = new CountingLog();
        long used = 2000;
        var watermark = new MemoryWatermark(1000, () => used, _gate, log);
        for (int i = 0; i < 3; i++) watermark.Check();
        used = 0;
        for (int i = 0; i < 3; i++) watermark.Check();
        log.Levels.ShouldBe([LogLevel.Warning, LogLevel.Information]);
    }

    private sealed class CountingLog : ILogger<MemoryWatermark>
    {
        public List<LogLevel> Levels { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Levels.Add(logLevel);
    }
}
