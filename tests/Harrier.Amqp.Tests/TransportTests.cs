using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.Tests;

/// <summary>What lies under the connections, where no wire script reaches.</summary>
public sealed class TransportTests
{
    [Fact]
    public async Task A_transport_that_dies_of_whatever_closes_the_output_and_nothing_else()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 16, resumeWriterThreshold: 8, useSynchronizationContext: false));
        var output = new FrameOutput(pipe.Writer, PipeScheduler.ThreadPool);
        for (int i = 0; i < 8; i++) output.WriteMethod(1, new ChannelOpenOk());
        Task flushed = output.WhenFlushedAsync();
        flushed.IsCompleted.ShouldBeFalse("the pipe holds the flush back");

        await pipe.Reader.CompleteAsync(new SocketException((int)SocketError.TimedOut));

        await flushed.WaitAsync(TimeSpan.FromSeconds(10));
        output.IsClosed.ShouldBeTrue();
        output.HasRoom.ShouldBeFalse();
    }

    [Fact]
    public void Deliveries_that_wait_do_not_keep_a_peer_from_being_read()
    {
        var pipe = new Pipe(new PipeOptions(useSynchronizationContext: false));
        var output = new FrameOutput(pipe.Writer, PipeScheduler.ThreadPool);
        byte[] bytes = new byte[FrameOutput.AnswerBytesMax + 1];
        lock (output.Gate)
        {
            output.Write(bytes);
            output.CountAsDeliveries(bytes.Length);
        }
        output.IsOverfull.ShouldBeFalse();

        lock (output.Gate) output.Write(bytes);

        output.IsOverfull.ShouldBeTrue();
    }

    [Fact]
    public void A_clock_that_has_run_for_months_still_tells_silence()
    {
        // Nanoseconds since the machine started, just before they overflow when they are multiplied by a thousand.
        var clock = new OldClock(long.MaxValue / 1000 - 1_000_000_000);
        var monitor = new HeartbeatMonitor(clock, new ConnectionLimits());
        monitor.Start(seconds: 10);

        clock.Now += 30_000_000_000;

        monitor.IsDue(0).ShouldBeTrue();
        monitor.IsOverdue.ShouldBeTrue();
    }

    [Fact]
    public void Frames_wait_while_answers_have_piled_up()
    {
        byte[] frames = new byte[3 * 8];
        for (int i = 0; i < 3; i++) FrameWriter.WriteHeartbeat(frames.AsSpan(i * 8));
        var buffer = new ReadOnlySequence<byte>(frames);
        var handler = new StoppingHandler();

        FrameDispatcher.ApplyAll(ref buffer, handler);

        handler.Applied.ShouldBe(1);
        buffer.Length.ShouldBe(2 * 8);
    }

    private sealed class OldClock(long now) : TimeProvider
    {
        public long Now { get; set; } = now;

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => Now;
    }

    private sealed class StoppingHandler : IFrameHandler
    {
        public int Applied { get; private set; }

        public bool IsStopped => Applied > 0;

        public bool TryApply(ref ReadOnlySpan<byte> bytes)
        {
            if (!FrameReader.TryRead(ref bytes, 4096, out _)) return false;
            Applied++;
            return true;
        }

        public int CompleteSize(in ReadOnlySequence<byte> bytes) => FrameReader.CompleteSize(bytes, 4096);
    }

    [Fact]
    public async Task Answer_that_cannot_be_written_ends_its_connection_and_nothing_else()
    {
        await using var server = new TestServer();
        var output = new FrameOutput(new Pipe().Writer, PipeScheduler.ThreadPool);
        new FailingAnswers(output, server.Broker.Sync).Execute();
        (output.IsClosed, output.Failure?.Message).ShouldBe((true, "a fault"));
    }

    private sealed class FailingAnswers(FrameOutput output, LogSync sync) : SyncedAnswers<int>(output, sync)
    {
        protected override void Send(in int answer)
        {
        }

        protected override void Release(in int answer)
        {
        }

        protected override void EndRelease() => throw new InvalidOperationException("a fault");
    }
}
