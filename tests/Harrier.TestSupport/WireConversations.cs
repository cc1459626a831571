using System.Text;
using Harrier.Protocol.Amqp091;

namespace Harrier.TestSupport;

/// <summary>What queue.declare-ok said.</summary>
public sealed record DeclaredQueue(string Name, uint MessageCount, uint ConsumerCount);

/// <summary>The parts of scripts that most tests need and few are about.</summary>
public static class WireConversations
{
    extension(WireScript client)
    {
        /// <summary>From the protocol header to connection.open-ok.</summary>
        public async Task Open(OpenOptions options)
        {
            await client.Login(options);
            await client.Send(
                new ConnectionTuneOk { ChannelMax = options.ChannelMax, FrameMax = options.FrameMax, Heartbeat = options.HeartbeatSeconds }, 0);
            await client.Call(new ConnectionOpen { VirtualHost = Bytes(options.VirtualHost) }, AmqpMethod.ConnectionOpenOk, 0);
        }

        /// <summary>From the protocol header to connection.tune.</summary>
        public async Task<WireFrame> Login(OpenOptions options)
        {
            await client.SendBytes(WireScript.ProtocolHeader);
            await client.Expect(AmqpMethod.ConnectionStart, 0);
            await client.StartOk(options);
            return await client.Expect(AmqpMethod.ConnectionTune, 0);
        }

        /// <summary>Sends connection.start-ok with PLAIN.</summary>
        public Task StartOk(OpenOptions options) => client.Send(
            new ConnectionStartOk
            {
                ClientProperties = options.ClientProperties(),
                Mechanism = "PLAIN"u8,
                Response = Bytes($"\0{options.User}\0{options.Password}"),
                Locale = "en_US"u8,
            },
            0);

        public async Task OpenChannel(ushort channel) => await client.Call(new ChannelOpen(), AmqpMethod.ChannelOpenOk, channel);

        /// <summary>Closes the connection in an orderly way.</summary>
        public async Task Close()
        {
            await client.Call(new ConnectionClose { ReplyCode = 200, ReplyText = "bye"u8 }, AmqpMethod.ConnectionCloseOk, 0);
            await client.ExpectEnd();
        }

        /// <summary>Declares a queue that is neither durable nor exclusive.</summary>
        public async Task<DeclaredQueue> DeclareQueue(
            string name, bool durable = false, bool exclusive = false, bool autoDelete = false, byte[]? arguments = null, ushort channel = 1) =>
            Decode(await client.Call(
                new QueueDeclare { Queue = Bytes(name), Durable = durable, Exclusive = exclusive, AutoDelete = autoDelete, Arguments = arguments },
                AmqpMethod.QueueDeclareOk, channel));

        /// <summary>Asks how many messages and consumers a queue has.</summary>
        public async Task<DeclaredQueue> InspectQueue(string name, ushort channel = 1) =>
            Decode(await client.Call(new QueueDeclare { Queue = Bytes(name), Passive = true }, AmqpMethod.QueueDeclareOk, channel));

        public async Task DeclareExchange(
            string name, string type, bool autoDelete = false, bool isInternal = false, byte[]? arguments = null, ushort channel = 1) =>
            await client.Call(
                new ExchangeDeclare
                {
                    Exchange = Bytes(name),
                    Type = Bytes(type),
                    AutoDelete = autoDelete,
                    Internal = isInternal,
                    Arguments = arguments,
                },
                AmqpMethod.ExchangeDeclareOk, channel);

        public async Task Bind(string queue, string exchange, string routingKey, byte[]? arguments = null, ushort channel = 1) =>
            await client.Call(
                new QueueBind { Queue = Bytes(queue), Exchange = Bytes(exchange), RoutingKey = Bytes(routingKey), Arguments = arguments },
                AmqpMethod.QueueBindOk, channel);

        public async Task BindExchange(string destination, string source, string routingKey, byte[]? arguments = null, ushort channel = 1) =>
            await client.Call(
                new ExchangeBind { Destination = Bytes(destination), Source = Bytes(source), RoutingKey = Bytes(routingKey), Arguments = arguments },
                AmqpMethod.ExchangeBindOk, channel);

        /// <summary>Starts a consumer under that tag.</summary>
        public async Task Consume(
            string queue, string tag, bool noAck = false, bool exclusive = false, byte[]? arguments = null, ushort channel = 1) =>
            await client.Call(
                new BasicConsume { Queue = Bytes(queue), ConsumerTag = Bytes(tag), NoAck = noAck, Exclusive = exclusive, Arguments = arguments },
                AmqpMethod.BasicConsumeOk, channel);

        public async Task Qos(ushort prefetchCount, ushort channel = 1) =>
            await client.Call(new BasicQos { PrefetchCount = prefetchCount }, AmqpMethod.BasicQosOk, channel);

        /// <summary>Gets one message; there must be one.</summary>
        public async Task<WireContent> Get(string queue, bool noAck = true, ushort channel = 1)
        {
            await client.Send(new BasicGet { Queue = Bytes(queue), NoAck = noAck }, channel);
            return await client.ExpectGetOk(channel);
        }

        /// <summary>Expects that a queue has no ready message.</summary>
        public async Task GetNothing(string queue, ushort channel = 1) =>
            await client.Call(new BasicGet { Queue = Bytes(queue) }, AmqpMethod.BasicGetEmpty, channel);

        /// <summary>The texts of everything in a queue, in order; takes it out.</summary>
        public async Task<string[]> Drain(string queue, ushort channel = 1)
        {
            var texts = new List<string>();
            uint count = (await client.InspectQueue(queue, channel)).MessageCount;
            while (texts.Count < count) texts.Add((await client.Get(queue, channel: channel)).Text);
            return [.. texts];
        }
    }

    private static byte[] Bytes(string text) => WireScript.Bytes(text);

    private static DeclaredQueue Decode(WireFrame frame)
    {
        QueueDeclareOk ok = QueueDeclareOk.Decode(frame.Arguments);
        return new DeclaredQueue(Encoding.UTF8.GetString(ok.Queue), ok.MessageCount, ok.ConsumerCount);
    }
}
