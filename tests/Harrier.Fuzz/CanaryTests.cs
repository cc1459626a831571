using Harrier.Protocol;
using Harrier.Protocol.Amqp091;

namespace Harrier.Fuzz;

/// <summary>Targets that are wrong on purpose: a driver that does not find out is broken itself.</summary>
public sealed class CanaryTests : IDisposable
{
    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(1);

    private readonly string _crashes = Directory.CreateTempSubdirectory("harrier-fuzz-").FullName;

    [Fact]
    public async Task A_bug_behind_two_frames_is_found_and_its_input_is_kept()
    {
        FuzzFailureException failure = await Should.ThrowAsync<FuzzFailureException>(Driver(Canary).RunAsync(Enough, seed: 1));
        failure.Message.ShouldContain("FUZZ_SEED=1");
        Path.GetDirectoryName(failure.File).ShouldBe(_crashes);
        Should.Throw<InvalidOperationException>(() => Canary(File.ReadAllBytes(failure.File)));
    }

    [Fact]
    public async Task The_same_seed_finds_the_same_input()
    {
        FuzzFailureException first = await Should.ThrowAsync<FuzzFailureException>(Driver(Canary).RunAsync(Enough, seed: 2));
        FuzzFailureException second = await Should.ThrowAsync<FuzzFailureException>(Driver(Canary).RunAsync(Enough, seed: 2));
        second.File.ShouldBe(first.File);
    }

    [Fact]
    public async Task A_target_that_does_not_end_is_noticed()
    {
        var released = new TaskCompletionSource<long>();
        var driver = new FuzzDriver(_ => released.Task.Result, FuzzTargets.Mutator("frame-reader"), [[]], _crashes)
        {
            HangTime = TimeSpan.FromMilliseconds(100),
        };
        FuzzFailureException failure = await Should.ThrowAsync<FuzzFailureException>(driver.RunAsync(TimeSpan.Zero, seed: 1));
        released.SetResult(0);
        failure.Message.ShouldContain("did not end");
    }

    public void Dispose() => Directory.Delete(_crashes, recursive: true);

    private FuzzDriver Driver(FuzzTarget target) => new(target, FuzzTargets.Mutator("frame-reader"), [GoodFrames()], _crashes);

    // A length is believed, but only in a method right after a heartbeat.
    private static long Canary(ReadOnlySpan<byte> input)
    {
        var behaviour = new Behaviour();
        FrameType before = default;
        try
        {
            while (FrameReader.TryRead(ref input, 1024, out Frame frame))
            {
                behaviour.Add((byte)frame.Type);
                bool isLonger = frame.Payload.Length > 0 && frame.Payload[0] > frame.Payload.Length;
                if (before == FrameType.Heartbeat && frame.Type == FrameType.Method && isLonger)
                    throw new InvalidOperationException("the canary is found");
                before = frame.Type;
            }
        }
        catch (AmqpProtocolException)
        {
            behaviour.Add(-1);
        }
        return behaviour.Value;
    }

    private static byte[] GoodFrames() => new TestSupport.Frames().Method(new ChannelOpen()).Heartbeat().Bytes;
}
