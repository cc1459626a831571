using System.Collections.Concurrent;

namespace Harrier.Amqp.Tests;

/// <summary>Many clients at once, whose threads really meet: what holds then whatever the order.</summary>
public class ManyClientsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_is_lost_and_nothing_comes_back_after_its_acknowledgement(int seed)
    {
        const int Publishers = 3, Consumers = 4, MessagesEach = 300;
        await using var server = new TestServer();
        WireScript judge = await server.Open();
        await judge.DeclareQueue("q");
        var acknowledged = new ConcurrentDictionary<string, byte>();
        using var stop = new CancellationTokenSource();
        Task[] consumers = [.. Enumerable.Range(seed * 100, Consumers).Select(s => ConsumeAtWill(server, new Random(s), acknowledged, stop.Token))];
        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(i => PublishConfirmed(server, i, MessagesEach)));
        await stop.CancelAsync();
        await Task.WhenAll(consumers);

        string[] rest = await judge.Drain("q");
        rest.Distinct().Count().ShouldBe(rest.Length);
        rest.Where(acknowledged.ContainsKey).ShouldBeEmpty();
        rest.Concat(acknowledged.Keys).Count().ShouldBe(Publishers * MessagesEach);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public async Task Whatever_clients_do_the_broker_stays_sound(int seed)
    {
        await using var server = new TestServer();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Misbehave(server, new Random(seed * 100 + i))));
        WireScript survivor = await server.Open();
        await survivor.DeclareQueue("fresh");
        await survivor.Publish("", "fresh", "x");
        (await survivor.Drain("fresh")).ShouldBe(["x"]);
    }

    private static async Task PublishConfirmed(TestServer server, int publisher, int count)
    {
        WireScript client = await server.Open();
        await client.Call(new ConfirmSelect(), AmqpMethod.ConfirmSelectOk);
        ulong confirmed = 0;
        for (int sent = 0; sent < count; sent += 10)
        {
            var frames = new Frames();
            for (int i = sent; i < sent + 10; i++) frames.Publish("", "q", $"{publisher}:{i}");
            await client.Send(frames);
            while (confirmed < (ulong)sent + 10) confirmed = (await client.ExpectAck()).Tag;
        }
        await client.Close();
    }

    /// <summary>Takes messages, acks some, gives others back in every way there is, and starts again as another connection now and then.</summary>
    private static async Task ConsumeAtWill(TestServer server, Random random, ConcurrentDictionary<string, byte> acknowledged, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            WireScript client = await server.Open();
            await client.Qos((ushort)random.Next(1, 20));
            for (int turn = random.Next(1, 30); turn > 0; turn--)
            {
                await client.Send(new BasicGet { Queue = "q"u8 });
                WireFrame answer = await client.Receive() ?? throw new WireScriptException("The stream has ended.");
                if (answer.Method == AmqpMethod.BasicGetEmpty) continue;
                ulong tag = TagOf(answer);
                await client.Expect(FrameType.Header, 1);
                string text = System.Text.Encoding.UTF8.GetString((await client.Expect(FrameType.Body, 1)).Payload);
                acknowledged.ContainsKey(text).ShouldBeFalse($"{text} was acknowledged and came again");
                int fate = random.Next(4);
                if (fate == 0) await client.Send(new BasicNack { DeliveryTag = tag, Requeue = true });
                else if (fate < 3)
                {
                    await client.Send(new BasicAck { DeliveryTag = tag });
                    acknowledged.TryAdd(text, 0).ShouldBeTrue();
                }
            }
            if (random.Next(2) == 0) await client.Close();
            else client.Leave();
            await client.Served.WaitAsync(TestServer.SafetyNet, CancellationToken.None);
        }
    }

    /// <summary>Sends methods at random, sensible or not, while somebody else reads the answers and opens closed channels again.</summary>
    private static async Task Misbehave(TestServer server, Random random)
    {
        for (int life = 0; life < 6; life++)
        {
            WireScript client = await server.Open();
            var answers = new ConcurrentQueue<Frames>();
            Task reading = AnswerCloses(client, answers);
            for (int step = 0; step < 80 && !client.Served.IsCompleted; step++)
                await client.Send(answers.TryDequeue(out Frames? answer) ? answer : Anything(random));
            client.EndInput();
            await reading;
            await client.Served.WaitAsync(TestServer.SafetyNet);
        }
    }

    private static Frames Anything(Random random)
    {
        byte[] queue = WireScript.Bytes($"q{random.Next(4)}"), exchange = WireScript.Bytes($"x{random.Next(3)}");
        byte[] tag = WireScript.Bytes($"c{random.Next(1000)}");
        bool flag = random.Next(2) == 0;
        var number = (ulong)random.Next(0, 12);
        var frames = new Frames();
        return random.Next(22) switch
        {
            0 or 1 => frames.Method(new QueueDeclare { Queue = queue }),
            2 => frames.Method(new QueueDelete { Queue = queue, IfEmpty = flag }),
            3 => frames.Method(new QueuePurge { Queue = queue }),
            4 => frames.Method(new ExchangeDeclare { Exchange = exchange, Type = "fanout"u8, AutoDelete = true }),
            5 => frames.Method(new QueueBind { Queue = queue, Exchange = exchange }),
            6 => frames.Method(new QueueUnbind { Queue = queue, Exchange = exchange }),
            7 or 8 => frames.Method(new BasicConsume { Queue = queue, ConsumerTag = tag, NoAck = flag }),
            9 => frames.Method(new BasicCancel { ConsumerTag = tag }),
            10 => frames.Method(new BasicGet { Queue = queue, NoAck = flag }),
            11 => frames.Method(new BasicAck { DeliveryTag = number, Multiple = flag }),
            12 => frames.Method(new BasicNack { DeliveryTag = number, Multiple = flag, Requeue = true }),
            13 => frames.Method(new BasicRecover { Requeue = true }),
            14 => frames.Method(new TxSelect()),
            15 => frames.Method(new TxCommit()),
            16 => frames.Method(new TxRollback()),
            17 => frames.Method(new BasicQos { PrefetchCount = (ushort)number }),
            18 => frames.Method(new BasicConsume { Queue = "amq.rabbitmq.reply-to"u8, NoAck = true }),
            19 => frames.Publish(flag ? "" : "amq.fanout", "q1", new byte[random.Next(3000)], Request(flag), mandatory: true),
            _ => frames.Publish("", $"q{random.Next(4)}", new byte[random.Next(3000)]).Publish("", $"q{random.Next(4)}", "small"),
        };
    }

    private static byte[] Request(bool flag) => flag
        ? new PropertyBytes().Text(BasicPropertyFlags.ReplyTo, "amq.rabbitmq.reply-to").Headers(Fields.Table(("BCC", Fields.Texts("q2")))).Encode()
        : new PropertyBytes().Headers(Fields.Table(("CC", Fields.Texts("q0", "q3")))).Encode();

    // Only one task may send, so this one says what is to be sent.
    private static async Task AnswerCloses(WireScript client, ConcurrentQueue<Frames> answers)
    {
        while (await client.Receive() is { } frame)
        {
            if (frame.Method == AmqpMethod.ChannelClose) answers.Enqueue(new Frames().Method(new ChannelCloseOk()).Method(new ChannelOpen()));
            else if (frame.Method == AmqpMethod.ConnectionClose) answers.Enqueue(new Frames().Method(new ConnectionCloseOk(), 0));
        }
    }

    private static ulong TagOf(WireFrame frame) => BasicGetOk.Decode(frame.Arguments).DeliveryTag;
}
