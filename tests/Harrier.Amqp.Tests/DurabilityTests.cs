using Harrier.Amqp;

namespace Harrier.Amqp.Tests;

/// <summary>What clients hear, and when, of a broker with a data directory: nothing that promises something before the log has it.</summary>
public sealed class DurabilityTests : IAsyncLifetime
{
    private static readonly byte[] Persistent = new PropertyBytes().Octet(BasicPropertyFlags.DeliveryMode, 2).Encode();

    private SimDisk _disk = new(1);
    private TestStorage _storage = null!;
    private TestServer _server = null!;
    private WireScript _client = null!;

    public async Task InitializeAsync() => await Start();

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _storage.Dispose();
    }

    [Fact, Trait("Note", "68")]
    public async Task Note_68_a_confirm_waits_for_the_log()
    {
        await DeclareDurable("q");
        await _client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await _client.Publish("", "q", "a", Persistent);
        await _client.Publish("", "q", "b", Persistent);
        await _client.ExpectQuiet();
        _storage.Commit();
        (await _client.ExpectAck()).ShouldBe((2ul, true));
    }

    [Fact]
    public async Task What_is_not_to_survive_is_confirmed_at_once()
    {
        await DeclareDurable("q");
        await _client.DeclareQueue("memory");
        await _client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await _client.Publish("", "q", "transient");
        (await _client.ExpectAck()).ShouldBe((1ul, false));
        await _client.Publish("", "memory", "in a queue that is not durable", Persistent);
        (await _client.ExpectAck()).ShouldBe((2ul, false));
        await _client.Publish("", "nowhere", "to nobody", Persistent);
        (await _client.ExpectAck()).ShouldBe((3ul, false));
    }

    [Fact]
    public async Task Confirms_keep_their_order()
    {
        await DeclareDurable("q");
        await _client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await _client.Publish("", "q", "persistent", Persistent);
        await _client.Publish("", "nowhere", "transient");
        await _client.ExpectQuiet();
        _storage.Commit();
        (await _client.ExpectAck()).ShouldBe((2ul, true));
    }

    [Fact]
    public async Task A_closed_channel_gets_no_late_confirm()
    {
        await DeclareDurable("q");
        await _client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        await _client.Publish("", "q", "a", Persistent);
        await _client.Call(new ChannelClose { ReplyCode = 200 }, AmqpMethod.ChannelCloseOk);
        await _client.OpenChannel(1);
        _storage.Commit();
        await _client.ExpectQuiet();
    }

    [Fact]
    public async Task Declarations_bindings_and_deletions_are_answered_when_they_are_durable()
    {
        await ExpectAnswerAfterCommit(new ExchangeDeclare { Exchange = "x"u8, Type = "direct"u8, Durable = true }, AmqpMethod.ExchangeDeclareOk);
        await ExpectAnswerAfterCommit(new QueueDeclare { Queue = "q"u8, Durable = true }, AmqpMethod.QueueDeclareOk);
        await ExpectAnswerAfterCommit(new QueueBind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueBindOk);
        await _client.Publish("x", "k", "a", Persistent);
        await _client.ExpectQuiet();
        _storage.Commit();
        await ExpectAnswerAfterCommit(new QueuePurge { Queue = "q"u8 }, AmqpMethod.QueuePurgeOk);
        await ExpectAnswerAfterCommit(new QueueUnbind { Queue = "q"u8, Exchange = "x"u8, RoutingKey = "k"u8 }, AmqpMethod.QueueUnbindOk);
        await ExpectAnswerAfterCommit(new QueueDelete { Queue = "q"u8 }, AmqpMethod.QueueDeleteOk);
        await ExpectAnswerAfterCommit(new ExchangeDelete { Exchange = "x"u8 }, AmqpMethod.ExchangeDeleteOk);
    }

    [Fact]
    public async Task What_follows_a_declaration_waits_with_it()
    {
        Task sent = _client.Send(new Frames().Method(new QueueDeclare { Queue = "q"u8, Durable = true }).Method(new ChannelFlow { Active = true }));
        Task<WireFrame> declared = _client.Expect(AmqpMethod.QueueDeclareOk);
        await _storage.WhenLogged();
        await OthersGoOn();
        declared.IsCompleted.ShouldBeFalse();
        _storage.Commit();
        await declared;
        await sent;
        await _client.Expect(AmqpMethod.ChannelFlowOk);
    }

    [Fact]
    public async Task A_shutdown_does_not_wait_for_the_log()
    {
        await _client.Send(new QueueDeclare { Queue = "q"u8, Durable = true });
        await OthersGoOn();
        _ = _server.Shutdown();
        await _client.ExpectConnectionClose(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'", 0, 0);
        await _client.Send(new ConnectionCloseOk(), 0);
        await _client.ExpectEnd();
    }

    [Fact]
    public async Task A_commit_is_answered_when_it_is_durable()
    {
        await DeclareDurable("a");
        await DeclareDurable("b");
        await _client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await _client.Publish("", "a", "1", Persistent);
        await _client.Publish("", "b", "2", Persistent);
        await _client.ExpectQuiet();
        await ExpectAnswerAfterCommit(new TxCommit(), AmqpMethod.TxCommitOk);
        await Restart();
        (await _client.Drain("a")).ShouldBe(["1"]);
        (await _client.Drain("b")).ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_transaction_that_is_too_large_is_refused()
    {
        await using var server = new TestServer(limits: new ConnectionLimits { TransactionBytesMax = 1000 });
        WireScript client = await server.Open();
        await client.DeclareQueue("q");
        await client.Call(new TxSelect(), AmqpMethod.TxSelectOk);
        await client.Publish("", "q", new string('a', 600));
        await client.Publish("", "q", new string('b', 600));
        await client.ExpectChannelClose(406, "PRECONDITION_FAILED - transaction is larger than configured max size 1000", 60, 40);
        (await client.Drain("q")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_restart_keeps_what_is_durable_and_nothing_else()
    {
        await DeclareDurable("q");
        await _client.DeclareQueue("gone");
        await _client.Publish("", "q", "persistent", Persistent);
        await _client.Publish("", "q", "transient");
        await _client.Publish("", "gone", "persistent", Persistent);
        await Restart();
        (await _client.Drain("q")).ShouldBe(["persistent"]);
        await _client.Send(new QueueDeclare { Queue = "gone"u8, Passive = true });
        await _client.ExpectChannelClose(404, "NOT_FOUND - no queue 'gone' in vhost '/'", 50, 10);
    }

    [Fact]
    public async Task A_delivery_that_a_crash_has_interrupted_is_marked()
    {
        await DeclareDurable("q");
        await _client.Publish("", "q", "seen", Persistent);
        await _client.Publish("", "q", "unseen", Persistent);
        (await _client.Get("q", noAck: false)).Redelivered.ShouldBeFalse();
        await Restart();
        (await _client.Get("q")).Redelivered.ShouldBeTrue();
        (await _client.Get("q")).Redelivered.ShouldBeFalse();
    }

    [Fact]
    public async Task A_message_that_has_left_memory_is_got_from_disk()
    {
        await DeclareDurable("q");
        for (int i = 0; i < 100; i++) await _client.Publish("", "q", $"{i}", Persistent);
        await _client.ExpectQuiet();
        _storage.Commit();
        _storage.Checkpoint();
        _storage.HoldsLoads = true;
        for (int i = 0; i < 100; i++)
        {
            await _client.Send(new BasicGet { Queue = "q"u8, NoAck = true });
            await OthersGoOn();
            _storage.ReadBack();
            (await _client.ExpectGetOk()).Text.ShouldBe($"{i}");
        }
    }

    private async Task DeclareDurable(string name) =>
        await ExpectAnswerAfterCommit(new QueueDeclare { Queue = WireScript.Bytes(name), Durable = true }, AmqpMethod.QueueDeclareOk);

    private Task ExpectAnswerAfterCommit<TMethod>(in TMethod method, AmqpMethod answer) where TMethod : IMethod, allows ref struct =>
        ExpectAnswerAfterCommit(_client.Call(in method, answer), answer);

    private async Task ExpectAnswerAfterCommit(Task<WireFrame> answered, AmqpMethod answer)
    {
        await _storage.WhenLogged();
        await OthersGoOn();
        answered.IsCompleted.ShouldBeFalse($"{answer} came before the log had it");
        // The method may log more than once: what comes after a commit needs another.
        for (; !answered.IsCompleted; await Task.Yield()) _storage.Commit();
        await answered;
    }

    /// <summary>Another connection is served meanwhile, and whatever was sent before on this one has been worked through.</summary>
    private async Task OthersGoOn()
    {
        WireScript other = await _server.Open();
        await other.ExpectQuiet();
    }

    private async Task Restart()
    {
        await _client.ExpectQuiet();
        _storage.Commit();
        await _server.DisposeAsync();
        _disk = _disk.Crash();
        await Start();
    }

    private async Task Start()
    {
        _storage = new TestStorage(_disk);
        _server = new TestServer(storage: _storage);
        _client = await _server.Open();
    }
}
