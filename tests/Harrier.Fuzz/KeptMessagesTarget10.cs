using Harrier.Protocol.Amqp10;
using Harrier.TestSupport;

namespace Harrier.Fuzz;

/// <summary>
/// A client of 1.0 that does everything that is allowed, in any order, next to one that does what is not: no message is lost that was accepted, none is
/// there that was not, none is delivered beyond the credit.
/// </summary>
/// <remarks>Each two octets of an input are a step: what is done, and how.</remarks>
internal static class KeptMessagesTarget10
{
    private const int StepsMax = 200;

    private static readonly byte[][] Outcomes = [States10.Accepted, States10.Released, States10.Rejected, States10.Modified(deliveryFailed: true)];

    public static long Fuzz(ReadOnlySpan<byte> input) => RunAsync(input.ToArray()).GetAwaiter().GetResult();

    private static async Task<long> RunAsync(byte[] input)
    {
        await using var server = new TestServer();
        await DeclareAsync(server);
        var client = new ModelClient10(server);
        await client.ConnectAsync();
        for (int i = 0; i + 1 < input.Length && i < 2 * StepsMax; i += 2) await StepAsync(client, input[i], input[i + 1]);
        await client.LeaveAsync(isOrderly: input.Length % 2 == 0);
        (await DrainAsync(server)).ShouldBe(client.Kept.Order());
        return client.Behaviour;
    }

    private static Task StepAsync(ModelClient10 client, byte what, byte how)
    {
        client.Note(what % 16);
        bool flag = (how & 1) != 0, hasTransaction = client.OpenTransactions > 0, hasDelivery = client.UnsettledCount > 0;
        int rest = how >> 1;
        switch (what % 16)
        {
            case 0 or 1: return client.PublishAsync(settled: flag, pieceBytes: int.MaxValue >> 1);
            case 2: return client.PublishAsync(settled: flag, pieceBytes: 1 + rest % 8);
            case 3: return client.AbortAsync();
            case 4 or 5: return client.GrantAsync((uint)(rest % 8), drain: flag);
            case 6 or 7 when hasDelivery:
                int outcome = rest % 4;
                return client.SettleAsync(1 + rest / 4 % 4, Outcomes[outcome], comesBack: outcome is 1 or 3, settled: flag);
            case 8: return client.ReattachAsync(receiver: flag, closed: (how & 2) != 0);
            case 9: return client.DeclareAsync();
            case 10 when hasTransaction: return client.DischargeAsync(rest % client.OpenTransactions, fail: flag);
            case 11 when hasTransaction: return client.PublishAsync(settled: flag, pieceBytes: 8, transaction: rest % client.OpenTransactions);
            case 12 when hasTransaction && hasDelivery: return client.SettleInAsync(rest % client.OpenTransactions, settled: flag);
            case 13: return client.StartOverAsync(how % 3);
            case 14: return client.SetWindowAsync(flag ? 2048 : (uint)(rest % 4));
            case 15: return client.SayHostileAsync([.. Fragments10.Frames[how % Fragments10.Frames.Count]]);
            default: return Task.CompletedTask;
        }
    }

    private static async Task DeclareAsync(TestServer server)
    {
        WireScript admin = await server.Open();
        await admin.DeclareQueue(ModelClient10.Queue);
        await admin.Close();
    }

    // Everything in the queue, in the order of the numbers: what came back may stand elsewhere than before.
    private static async Task<IEnumerable<int>> DrainAsync(TestServer server)
    {
        WireScript10 client = await server.Open10();
        client.IncomingWindow = 100_000;
        await client.AttachReceiver(1, "/queues/" + ModelClient10.Queue, SenderSettleMode.Settled);
        await client.Grant(100_000, drain: true);
        var numbers = new List<int>();
        while ((await client.Receive())!.Performative is WireTransfer transfer)
            numbers.Add(int.Parse(new WireDelivery10(1, 0, [], true, transfer.Payload, []).Read().Text, System.Globalization.CultureInfo.InvariantCulture));
        return numbers.Order();
    }
}
