using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.TestSupport;

/// <summary>The parts of scripts of 1.0 that most tests need and few are about.</summary>
public static class WireConversations10
{
    extension(WireScript10 client)
    {
        /// <summary>From the first header to the header after SASL.</summary>
        public async Task Login(string user = "guest", string password = "guest")
        {
            await client.BeginSasl();
            await client.Send(new Frames10().Sasl(new SaslInit { Mechanism = "PLAIN"u8, InitialResponse = Encoding.UTF8.GetBytes($"\0{user}\0{password}") }));
            WireOutcome outcome = await client.Expect<WireOutcome>(0);
            if (outcome.Code != SaslCode.Ok) throw new WireScriptException($"Expected to be let in, but got {outcome}.");
            await client.SendBytes(WireScript10.ProtocolHeader);
            await client.ExpectHeader(WireScript10.ProtocolHeader);
        }

        /// <summary>From the first header to the mechanisms.</summary>
        public async Task<WireMechanisms> BeginSasl()
        {
            await client.SendBytes(WireScript10.SaslHeader);
            await client.ExpectHeader(WireScript10.SaslHeader);
            return await client.Expect<WireMechanisms>(0);
        }

        /// <summary>From the first header to the open of both.</summary>
        public async Task<WireOpen> Open(OpenOptions10? options = null)
        {
            options ??= new OpenOptions10();
            await client.Login(options.User, options.Password);
            await client.SendOpen(options);
            return await client.Expect<WireOpen>(0);
        }

        public Task SendOpen(OpenOptions10 options)
        {
            client.FrameBytesMax = options.MaxFrameSize;
            return client.Send(new Open
            {
                ContainerId = Encoding.UTF8.GetBytes(options.ContainerId),
                Hostname = options.Hostname is { } name ? Encoding.UTF8.GetBytes(name) : default,
                MaxFrameSize = options.MaxFrameSize,
                ChannelMax = options.ChannelMax,
                IdleTimeOut = options.IdleTimeOutMs,
            }, 0);
        }

        public async Task<WireBegin> Begin(ushort channel = 1, uint nextOutgoingId = 0)
        {
            await client.Send(new Begin { NextOutgoingId = nextOutgoingId, IncomingWindow = client.IncomingWindow, OutgoingWindow = int.MaxValue }, channel);
            return await client.Expect<WireBegin>(channel);
        }

        /// <summary>Ends a session and expects that.</summary>
        public async Task EndSession(ushort channel = 1)
        {
            await client.Send(new End(), channel);
            WireEnd end = await client.Expect<WireEnd>(channel);
            if (end.Error is not null) throw new WireScriptException($"Expected an end without an error, but got {end}.");
        }

        /// <summary>Closes the connection in an orderly way.</summary>
        public async Task Close()
        {
            await client.Send(new Close(), 0);
            WireClose close = await client.Expect<WireClose>(0);
            if (close.Error is not null) throw new WireScriptException($"Expected a close without an error, but got {close}.");
            await client.ExpectEndOfStream();
        }

        /// <summary>Attaches a link to the server and expects that it gets credit.</summary>
        /// <returns>The flow that grants it.</returns>
        public async Task<WireFlow> AttachSender(
            uint handle = 0, string? address = "/queues/q", SenderSettleMode sendMode = SenderSettleMode.Mixed,
            ReceiverSettleMode receiveMode = ReceiverSettleMode.First, ushort channel = 1)
        {
            await client.Send(
                Links10.Sender(handle, address) with { Name = NameOf(channel, handle), SndSettleMode = sendMode, RcvSettleMode = receiveMode }, channel);
            WireAttach attach = await client.Expect<WireAttach>(channel);
            if (!attach.HasTarget) throw new WireScriptException($"Expected a link, but got {attach}.");
            return await client.Expect<WireFlow>(channel);
        }

        /// <summary>Attaches a link from the server, without credit.</summary>
        public async Task<WireAttach> AttachReceiver(
            uint handle = 1, string address = "/queues/q", SenderSettleMode sendMode = SenderSettleMode.Mixed,
            ReceiverSettleMode receiveMode = ReceiverSettleMode.First, ushort channel = 1)
        {
            await client.Send(
                Links10.Receiver(handle, address) with { Name = NameOf(channel, handle), SndSettleMode = sendMode, RcvSettleMode = receiveMode }, channel);
            WireAttach attach = await client.Expect<WireAttach>(channel);
            return attach.HasSource ? attach : throw new WireScriptException($"Expected a link, but got {attach}.");
        }

        /// <summary>Attaches a link to the coordinator and expects that it gets credit.</summary>
        public async Task AttachCoordinator(uint handle = 9, ushort channel = 1)
        {
            await client.Send(Links10.ToCoordinator(handle) with { Name = NameOf(channel, handle) }, channel);
            await client.Expect<WireAttach>(channel);
            await client.Expect<WireFlow>(channel);
        }

        /// <summary>Detaches a link and expects that.</summary>
        public async Task Detach(uint handle, bool closed = true, ushort channel = 1)
        {
            await client.Send(new Detach { Handle = handle, Closed = closed }, channel);
            WireDetach detach = await client.Expect<WireDetach>(channel);
            if (detach != new WireDetach(handle, closed, null)) throw new WireScriptException($"Expected that link {handle} is detached, but got {detach}.");
        }

        /// <summary>Grants credit to a link from the server.</summary>
        public Task Grant(uint credit, uint handle = 1, bool drain = false, bool echo = false, ushort channel = 1) =>
            client.SendFlow(handle, credit, drain, echo, channel);

        /// <summary>Sends a message in one transfer; its delivery id.</summary>
        public async Task<uint> Transfer(byte[] message, uint handle = 0, bool? settled = null, byte[]? state = null, ushort channel = 1)
        {
            uint id = client.NextDeliveryId(channel);
            var transfer = new Transfer { Handle = handle, DeliveryId = id, DeliveryTag = Frames10.Tag(id), Settled = settled, State = state };
            Task sent = client.Send(in transfer, channel, message);
            await sent;
            return id;
        }

        /// <inheritdoc cref="Transfer(byte[], uint, bool?, byte[], ushort)"/>
        public Task<uint> Transfer(string text, uint handle = 0, bool? settled = null, byte[]? state = null, ushort channel = 1) =>
            client.Transfer(Message10.Of(text), handle, settled, state, channel);

        /// <summary>Sends a message and expects that it is accepted and settled.</summary>
        public async Task Publish(string text, uint handle = 0, ushort channel = 1) =>
            await client.ExpectDisposition("accepted", await client.Transfer(text, handle, channel: channel), channel: channel);

        /// <summary>Sends a message to the coordinator and expects its answer.</summary>
        public async Task<WireState> Coordinate(byte[] value, uint handle = 9, ushort channel = 1)
        {
            uint id = await client.Transfer(new Message10().Value(value).Bytes, handle, channel: channel);
            WireDisposition disposition = await client.Expect<WireDisposition>(channel);
            if (disposition is { Role: Role.Receiver, Settled: true, State: { } state } && disposition.First == id) return state;
            throw new WireScriptException($"Expected an answer to {id}, but got {disposition}.");
        }

        /// <summary>Declares a transaction; its id in hexadecimal.</summary>
        public async Task<string> Declare(uint handle = 9, ushort channel = 1) =>
            await client.Coordinate(Encoded10.Composite(new Declare()), handle, channel) is { Name: "declared", TransactionId: { } id } ? id
                : throw new WireScriptException("Expected a transaction.");

        /// <summary>Discharges a transaction.</summary>
        public Task<WireState> Discharge(string transactionId, bool? fail = null, uint handle = 9, ushort channel = 1) => client.Coordinate(
            Encoded10.Composite(new Discharge { TxnId = Encoded10.Binary(Convert.FromHexString(transactionId)), Fail = fail }), handle, channel);

        /// <summary>Expects a message.</summary>
        public async Task<WireDelivery10> ExpectDelivery(uint handle = 1, ushort channel = 1)
        {
            var payload = new List<byte>();
            var sizes = new List<int>();
            WireTransfer? first = null;
            while (true)
            {
                WireFrame10 frame = await client.ExpectFrame<WireTransfer>(channel);
                var transfer = (WireTransfer)frame.Performative;
                first ??= transfer;
                if (transfer.Handle != handle || transfer.Aborted) throw new WireScriptException($"Expected a transfer on link {handle}, but got {transfer}.");
                payload.AddRange(transfer.Payload);
                sizes.Add(frame.Size);
                if (transfer.More) continue;
                uint id = first.DeliveryId ?? throw new WireScriptException($"Expected a delivery id, but got {first}.");
                return new WireDelivery10(handle, id, first.DeliveryTag, first.Settled == true, [.. payload], [.. sizes]).Read();
            }
        }

        /// <summary>Answers a delivery, or several that follow each other.</summary>
        public Task Settle(uint first, byte[]? state, uint? last = null, bool settled = true, ushort channel = 1) =>
            client.Send(new Disposition { Role = Role.Receiver, First = first, Last = last, Settled = settled, State = state }, channel);

        /// <summary>Expects an answer to what was sent.</summary>
        public async Task<WireState> ExpectDisposition(string state, uint first, uint? last = null, bool settled = true, ushort channel = 1)
        {
            WireDisposition disposition = await client.Expect<WireDisposition>(channel);
            bool isIt = disposition.Role == Role.Receiver && disposition.First == first && (disposition.Last ?? first) == (last ?? first)
                && disposition.Settled == settled && disposition.State?.Name == state;
            return isIt ? disposition.State! : throw new WireScriptException($"Expected {state} for {first} to {last ?? first}, but got {disposition}.");
        }

        /// <summary>Expects that the server has nothing more to say in a session: asks it for a flow and expects that next.</summary>
        public async Task ExpectQuiet(ushort channel = 1)
        {
            await client.SendFlow(echo: true, channel: channel);
            WireFlow flow = await client.Expect<WireFlow>(channel);
            if (flow.Handle is not null) throw new WireScriptException($"Expected the session's flow, but got {flow}.");
        }

        /// <summary>Expects that a link is detached with an error, answers, and expects that the session goes on.</summary>
        public async Task<WireError> ExpectDetach(string condition, uint handle = 0, ushort channel = 1)
        {
            WireDetach detach = await client.Expect<WireDetach>(channel);
            if (detach.Handle != handle || !detach.Closed || detach.Error?.Condition != condition)
                throw new WireScriptException($"Expected that link {handle} is closed with {condition}, but got {detach}.");
            await client.Send(new Detach { Handle = handle, Closed = true }, channel);
            await client.ExpectQuiet(channel);
            return detach.Error;
        }

        /// <summary>Expects that a session is ended with an error, answers, begins it again, and expects that it works.</summary>
        public async Task<WireError> ExpectSessionEnd(string condition, ushort channel = 1)
        {
            WireEnd end = await client.Expect<WireEnd>(channel);
            if (end.Error?.Condition != condition) throw new WireScriptException($"Expected that the session is ended with {condition}, but got {end}.");
            await client.Send(new End(), channel);
            await client.Begin(channel);
            await client.ExpectQuiet(channel);
            return end.Error;
        }

        /// <summary>Expects that the connection is closed with an error, answers, and expects the end of the stream.</summary>
        public async Task<WireError> ExpectClose(string condition)
        {
            WireClose close = await client.Expect<WireClose>(0);
            if (close.Error?.Condition != condition)
                throw new WireScriptException($"Expected that the connection is closed with {condition}, but got {close}.");
            await client.Send(new Close(), 0);
            await client.ExpectEndOfStream();
            return close.Error;
        }
    }

    // A connection has no two links of one name and direction (1.0 part 2, section 2.6.1).
    private static byte[] NameOf(ushort channel, uint handle) => Encoding.ASCII.GetBytes($"{channel}.{handle}");
}
