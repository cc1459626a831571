namespace Harrier.Crash.Load;

/// <summary>All the clients of the crash test, and the queues that they use.</summary>
internal sealed class Clients
{
    private const string Fanout = "orders";
    private const int Tokens = 12;

    private static readonly string[] Work = ["work.0", "work.1", "work.backlog"];
    private static readonly string[] Orders = ["orders.billing", "orders.archive"];
    private static readonly string[] Transactions = ["tx.0", "tx.1", "tx.2"];
    private static readonly string[] Ring = ["ring.0", "ring.1", "ring.2"];
    private const string Purged = "purged";

    private readonly Ledger _ledger;
    private readonly TokenMover _tokens = new(Ring, Tokens);
    private readonly QueueChurn _churn;
    private readonly (string Name, Func<IConnection, Random, CancellationToken, Task> Run)[] _clients;

    public Clients(Ledger ledger)
    {
        _ledger = ledger;
        _churn = new QueueChurn(ledger);
        _clients =
        [
            ("publisher 1", new ConfirmingPublisher(1, "", Work, ledger).RunAsync),
            ("publisher 2", new ConfirmingPublisher(2, "", Work, ledger).RunAsync),
            ("publisher 3", new ConfirmingPublisher(3, Fanout, Orders, ledger).RunAsync),
            ("transactions", new TransactionalPublisher(4, Transactions, ledger).RunAsync),
            ("purger", new Purger(5, Purged, ledger).RunAsync),
            ("tokens", _tokens.RunAsync),
            ("churn", _churn.RunAsync),
            .. new[] { Work[0], Work[1], Orders[0], Transactions[0] }.Select(queue => ($"consumer of {queue}", Consumer(queue))),
        ];
    }

    private static IEnumerable<string> Drained => [.. Work, .. Orders, .. Transactions, Purged];

    public async Task DeclareAsync(HarrierProcess broker)
    {
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync(Seal.ChannelOptions);
        foreach (string queue in Drained.Concat(Ring).Append(Seal.Queue)) await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await channel.ExchangeDeclareAsync(Fanout, ExchangeType.Fanout, durable: true);
        foreach (string queue in Orders) await channel.QueueBindAsync(queue, Fanout, "");
        await _tokens.PlaceAsync(channel);
    }

    /// <summary>Load, until the broker is gone. When it is to go is said by <paramref name="ending"/>.</summary>
    public Task RunAsync(HarrierProcess broker, Random random, CancellationToken ending) =>
        Task.WhenAll(_clients.Select(client =>
        {
            var own = new Random(random.Next());
            return Task.Run(() => new ClientLife(client.Name, broker, _ledger, ending).RunAsync((connection, closed) => client.Run(connection, own, closed)));
        }));

    /// <summary>Ends when the broker has noticed that its clients are gone.</summary>
    public async Task WhenAloneAsync(HarrierProcess broker)
    {
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        foreach (string queue in Drained) await Patience.EventuallyAsync(async () => await channel.ConsumerCountAsync(queue) == 0, () => $"nobody consumes {queue}");
    }

    /// <summary>Whether the queues are those that were answered for.</summary>
    public async Task CheckQueuesAsync(HarrierProcess broker)
    {
        await using IConnection connection = await broker.ConnectAsync();
        await _churn.CheckAsync(connection);
    }

    /// <summary>Empties the queues; the accounts of all messages in them go on.</summary>
    public async Task DrainAsync(HarrierProcess broker)
    {
        await using IConnection connection = await broker.ConnectAsync();
        foreach (string queue in Drained) await new AckingConsumer(queue, _ledger).DrainAsync(connection);
    }

    /// <summary>Of everything there must be what there must be, now that all queues are drained.</summary>
    public async Task CheckAtEndAsync(HarrierProcess broker)
    {
        await using IConnection connection = await broker.ConnectAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        foreach (string queue in Drained)
            if (await channel.MessageCountAsync(queue) is var left and > 0) _ledger.Violate($"{left} messages are left in {queue}");
        await _tokens.CheckAsync(channel, _ledger);
        _ledger.CheckAtEnd();
    }

    private Func<IConnection, Random, CancellationToken, Task> Consumer(string queue) => new AckingConsumer(queue, _ledger).RunAsync;
}
