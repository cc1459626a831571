using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>
/// The parts of scripts that are about links which outlive their connection. Tags of senders are texts; those of the server are its numbers, as "#1", and how
/// often it was given out before, as "#1.2".
/// </summary>
internal static class DurableConversations
{
    public static byte[] Tag(string tag)
    {
        if (tag[0] != '#') return Encoding.ASCII.GetBytes(tag);
        string[] parts = tag[1..].Split('.');
        byte[] bytes = new byte[parts.Length == 1 ? sizeof(ulong) : sizeof(ulong) + sizeof(int)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ulong.Parse(parts[0], CultureInfo.InvariantCulture));
        if (parts.Length > 1) BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(sizeof(ulong)), int.Parse(parts[1], CultureInfo.InvariantCulture));
        return bytes;
    }

    /// <summary>What the server's attach tells: "a=accepted b=".</summary>
    public static string Told(this WireAttach attach) =>
        string.Join(' ', (attach.Unsettled ?? []).Select(d => $"{Text(Convert.FromHexString(d.Key))}={d.Value?.Name}").Order(StringComparer.Ordinal));

    private static string Text(byte[] tag)
    {
        if (tag is not [0, 0, 0, 0, 0, 0, ..]) return Encoding.ASCII.GetString(tag);
        string times = tag.Length == sizeof(ulong) ? "" : $".{BinaryPrimitives.ReadInt32BigEndian(tag.AsSpan(sizeof(ulong)))}";
        return $"#{BinaryPrimitives.ReadUInt64BigEndian(tag)}{times}";
    }

    extension(WireScript10 client)
    {
        /// <summary>Attaches a link to the server and expects that it gets credit; what the server has not forgotten.</summary>
        public async Task<WireAttach> AttachOutbox(DurableEnd? end = null)
        {
            end ??= new DurableEnd();
            await client.Send(end.ToAttachOfSender(), end.Channel);
            WireAttach attach = await client.Expect<WireAttach>(end.Channel);
            await client.Expect<WireFlow>(end.Channel);
            return attach;
        }

        /// <summary>Attaches a link from the server, without credit; what the server is about to send again.</summary>
        public async Task<WireAttach> AttachInbox(DurableEnd? end = null)
        {
            end ??= new DurableEnd();
            await client.Send(end.ToAttachOfReceiver(), end.Channel);
            return await client.Expect<WireAttach>(end.Channel);
        }

        /// <summary>Sends a message, or no more than the name of one, in as many transfers as there are texts; its delivery id.</summary>
        public async Task<uint> SendTagged(
            string tag, string text, bool resume = false, bool? settled = null, int payloadBytesMax = int.MaxValue, uint handle = 0, byte[]? state = null)
        {
            uint id = client.NextDeliveryId();
            byte[] message = text.Length == 0 ? [] : new Message10().Header(new MessageHeader { Durable = true }).Data(text).Bytes;
            var frames = new Frames10();
            int at = 0;
            do
            {
                int count = Math.Min(payloadBytesMax, message.Length - at);
                bool isFirst = at == 0;
                var transfer = new Transfer
                {
                    Handle = handle, DeliveryId = isFirst ? id : null, DeliveryTag = isFirst ? Tag(tag) : default, Resume = isFirst && resume,
                    Settled = isFirst ? settled : null, More = at + count < message.Length, State = state,
                };
                frames.Add(in transfer, payload: message.AsSpan(at, count));
                at += count;
            }
            while (at < message.Length);
            await client.Send(frames);
            return id;
        }

        /// <summary>Sends a message and expects that it is accepted and not settled.</summary>
        public async Task<uint> SendAccepted(string tag, string text, uint handle = 0)
        {
            uint id = await client.SendTagged(tag, text, handle: handle);
            await client.ExpectDisposition("accepted", id, settled: false);
            return id;
        }

        /// <summary>Sends a message in a transaction and expects that it is to be accepted.</summary>
        public async Task<uint> PostTagged(string tag, string transaction, string text = "x", bool? settled = null)
        {
            uint id = await client.SendTagged(tag, text, settled: settled, state: States10.In(transaction));
            if (settled == true) return id;
            WireState state = await client.ExpectDisposition("transactional-state", id, settled: false);
            (state.TransactionId, state.Outcome?.Name).ShouldBe((transaction, "accepted"));
            return id;
        }

        /// <summary>Settles what was sent.</summary>
        public Task SettleSent(uint first, uint? last = null) =>
            client.Send(new Disposition { Role = Role.Sender, First = first, Last = last, Settled = true, State = States10.Accepted });

        /// <summary>Expects a message in one transfer: "#1 text", with " again" when it is resumed; its delivery id.</summary>
        public async Task<uint> ExpectTagged(string expected)
        {
            WireTransfer transfer = await client.Expect<WireTransfer>();
            string text = new WireDelivery10(transfer.Handle, 0, [], false, transfer.Payload, []).Read().Text;
            $"{Text(transfer.DeliveryTag)} {text}{(transfer.Resume ? " again" : "")}".ShouldBe(expected);
            return transfer.DeliveryId!.Value;
        }

        /// <summary>Expects a message in one transfer; how often it has failed.</summary>
        public async Task<uint> ExpectFailedTagged(string expected)
        {
            WireTransfer transfer = await client.Expect<WireTransfer>();
            WireDelivery10 delivery = new WireDelivery10(transfer.Handle, 0, [], false, transfer.Payload, []).Read();
            $"{Text(transfer.DeliveryTag)} {delivery.Text}{(transfer.Resume ? " again" : "")}".ShouldBe(expected);
            return delivery.DeliveryCount ?? 0;
        }

        /// <summary>Answers a delivery and expects that the server settles it.</summary>
        public async Task Finish(uint id, byte[]? state = null)
        {
            await client.Settle(id, state ?? States10.Accepted, settled: false);
            await client.ExpectSettled(id);
        }

        /// <summary>Expects that the server settles what it has sent.</summary>
        public async Task ExpectSettled(uint first, uint? last = null)
        {
            WireDisposition disposition = await client.Expect<WireDisposition>();
            (disposition.Role, disposition.First, disposition.Last ?? disposition.First, disposition.Settled)
                .ShouldBe((Role.Sender, first, last ?? first, true));
        }

        /// <summary>Expects that the server detaches a link with an error, and keeps its terminus.</summary>
        public async Task ExpectSuspended(string condition, uint handle = 0, ushort channel = 1)
        {
            WireDetach detach = await client.Expect<WireDetach>(channel);
            (detach.Handle, detach.Closed, detach.Error?.Condition).ShouldBe<(uint, bool, string?)>((handle, false, condition));
            await client.Send(new Detach { Handle = handle }, channel);
        }
    }

    extension(TestServer server)
    {
        /// <summary>How many ends of links the server remembers.</summary>
        public int TerminusCount => server.Host.Topology.Queues.Values.Count(queue => queue.NameText.StartsWith("amq.link.", StringComparison.Ordinal));

        /// <summary>A client whose connection has gone, and has been seen to be gone.</summary>
        public static async Task Lose(WireScript10 client)
        {
            client.Leave();
            await client.Served.WaitAsync(TestServer.SafetyNet);
        }
    }
}
