using System.IO.Pipelines;
using Harrier.Amqp.Transport;
using Harrier.Amqp.V091;

namespace Harrier.Amqp.Tests;

/// <summary>What goes over the wire when some of the publications that wait for the log were refused.</summary>
public sealed class RefusalDurabilityTests : IAsyncLifetime
{
    private readonly ChannelConfirms _one = new(1);
    private readonly ChannelConfirms _two = new(2);
    private TestStorage _storage = null!;
    private TestServer _server = null!;
    private WireScript _client = null!;
    private FrameOutput _output = null!;
    private ConfirmRelease _release = null!;
    private long _pending;

    /// <summary>A client that hears one release and nothing else, and a ticket that the log has and the disk does not.</summary>
    public async Task InitializeAsync()
    {
        _storage = new TestStorage(new SimDisk(1));
        _server = new TestServer(storage: _storage);
        WireScript other = await _server.Open();
        await other.Send(new QueueDeclare { Queue = "q"u8, Durable = true });
        await _storage.WhenLogged();
        _pending = _storage.Logged;

        (MemoryTransport client, MemoryTransport server) = MemoryTransport.CreatePair(1 << 20);
        _client = new WireScript(client, Task.CompletedTask);
        _output = new FrameOutput(server.Output, PipeScheduler.ThreadPool);
        _release = new ConfirmRelease(_output, _server.Broker.Sync);
    }

    public async Task DisposeAsync()
    {
        _storage.Commit();
        await _server.DisposeAsync();
        _storage.Dispose();
    }

    [Fact]
    public async Task A_refusal_keeps_its_turn_among_confirms_that_wait_for_the_log()
    {
        Add(_one, 2, isRefused: false);
        Add(_one, 4, isRefused: true);
        Add(_one, 5, isRefused: false);
        ExpectSilence();
        _storage.Commit();
        (await _client.ExpectAck()).ShouldBe((2ul, true));
        (await _client.ExpectNack()).ShouldBe((4ul, true));
        (await _client.ExpectAck()).ShouldBe((5ul, false));
    }

    [Fact]
    public async Task What_is_answered_alike_goes_out_as_one()
    {
        Add(_one, 1, isRefused: false);
        Add(_one, 3, isRefused: false);
        Add(_one, 4, isRefused: true);
        Add(_one, 6, isRefused: true);
        _storage.Commit();
        (await _client.ExpectAck()).ShouldBe((3ul, true));
        (await _client.ExpectNack()).ShouldBe((6ul, true));
    }

    [Fact]
    public async Task A_refusal_on_one_channel_leaves_the_confirms_of_another_together()
    {
        Add(_one, 1, isRefused: false);
        Add(_two, 1, isRefused: false);
        Add(_one, 2, isRefused: true);
        Add(_two, 2, isRefused: false);
        _storage.Commit();
        (await _client.ExpectAck()).ShouldBe((1ul, false));
        (await _client.ExpectNack()).ShouldBe((2ul, false));
        (await _client.ExpectAck(2)).ShouldBe((2ul, true));
    }

    [Fact]
    public async Task A_refusal_with_nothing_before_it_goes_out_at_once()
    {
        _release.Add((_one, new ConfirmRun(3, IsRefused: true)), ticket: 0);
        _output.Flush();
        (await _client.ExpectNack()).ShouldBe((3ul, true));
        _release.Add((_one, new ConfirmRun(4, IsRefused: true)), ticket: 0);
        _output.Flush();
        (await _client.ExpectNack()).ShouldBe((4ul, false));
    }

    [Fact]
    public async Task A_closed_channel_gets_no_late_refusal()
    {
        Add(_one, 1, isRefused: true);
        Add(_two, 1, isRefused: true);
        _release.Forget(_one);
        _storage.Commit();
        (await _client.ExpectNack(2)).ShouldBe((1ul, false));
    }

    private void Add(ChannelConfirms channel, ulong last, bool isRefused) => _release.Add((channel, new ConfirmRun(last, isRefused)), _pending);

    private void ExpectSilence() => _output.UnflushedBytes.ShouldBe(0);
}
