using System.Diagnostics;
using Harrier.Broker.Messages;
using Harrier.Broker.Policies;
using Harrier.Broker.Queues;
using Harrier.Broker.Topology;
using Harrier.Server;

namespace Harrier.Benchmarks;

/// <summary>
/// Runs of what queues do by themselves, on a durable broker in this process with the load generator beside it: messages that expire at random into a dead-letter
/// queue, delayed messages, a long queue that is cut by a policy; and what another queue notices of it. "-- features RAWLOAD [expiry|delay|trim] [messages [bytes]]"
/// </summary>
internal sealed class FeatureRuns(string rawload, int count, int size) : IDisposable
{
    private const int SecondsOfExpiry = 5;

    private readonly string _data = Directory.CreateTempSubdirectory("harrier-features").FullName;
    private HarrierBroker _broker = null!;

    private VirtualHost Host => _broker.Broker.TryFindVirtualHost("/", out VirtualHost? host) ? host : throw new InvalidOperationException();

    public static async Task RunAsync(string[] args)
    {
        string part = args.Length > 1 ? args[1] : "all";
        int count = args.Length > 2 ? int.Parse(args[2]) : 1_000_000, size = args.Length > 3 ? int.Parse(args[3]) : 16;
        foreach (string each in part == "all" ? ["expiry", "delay", "trim"] : new[] { part })
        {
            using var runs = new FeatureRuns(args[0], count, size);
            runs._broker = await HarrierBroker.StartAsync(new HarrierOptions { Data = runs._data });
            try
            {
                await (each switch { "expiry" => runs.ExpireAsync(), "delay" => runs.DelayAsync(), _ => runs.TrimAsync() });
            }
            finally
            {
                await runs._broker.StopAsync();
            }
        }
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    /// <summary>Messages whose times to live end at random within some seconds, when all of them stand in the queue.</summary>
    private async Task ExpireAsync()
    {
        Queue dead = DeclareDeadLetters("amq.fanout");
        Console.WriteLine($"another queue, quiet:    {await NeighbourAsync(4)}");
        long began = Stopwatch.GetTimestamp();
        int fromMs = 15_000, toMs = fromMs + SecondsOfExpiry * 1000;
        Load($"-P 1 -C 0 -keep -confirm 5000 -queue src -durable -persistent -size {size} -n {count} -qarg x-dead-letter-exchange=amq.fanout -expire {fromMs}:{toMs}");
        Console.WriteLine($"{count} messages of {size} B queued in {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s, {Resident()} MiB");
        while (dead.ReadyCount == 0) await Task.Delay(10);
        Task<string> neighbour = NeighbourAsync(SecondsOfExpiry);
        await WatchAsync(dead, count, Stopwatch.GetTimestamp());
        Console.WriteLine($"another queue, meanwhile: {await neighbour}");
    }

    /// <summary>Delayed messages, with a restart before they are due.</summary>
    private async Task DelayAsync()
    {
        Host.DeclareExchange("delayed", ExchangeType.Delayed, true, false, false, new ArgumentTable([new Argument("x-delayed-type", ArgumentValue.Of("fanout"))]));
        Queue target = Host.DeclareQueue("due", true, false, false, ArgumentTable.Empty, this);
        Host.Bind("delayed", "due", toQueue: true, "", ArgumentTable.Empty, this);
        int fromMs = 20_000, toMs = fromMs + SecondsOfExpiry * 1000;
        Load($"-P 1 -C 0 -keep -confirm 5000 -queue unused -durable -exchange delayed -persistent -size {size} -n {count} -delay {fromMs}:{toMs}");
        Console.WriteLine($"{count} messages of {size} B delayed; {Host.Topology.Exchanges["delayed"].Staging!.ReadyCount} wait, {Resident()} MiB");
        await _broker.StopAsync();
        long began = Stopwatch.GetTimestamp();
        _broker = await HarrierBroker.StartAsync(new HarrierOptions { Data = _data });
        Console.WriteLine($"started again in {Stopwatch.GetElapsedTime(began).TotalSeconds:F2} s, {Resident()} MiB");
        target = Host.Topology.Queues["due"];
        while (target.ReadyCount == 0) await Task.Delay(10);
        await WatchAsync(target, count, Stopwatch.GetTimestamp());
        (int late, long worstMs) = await LatenessAsync(target);
        Console.WriteLine($"more than 100 ms late: {late} of {count}; the latest by {worstMs} ms");
    }

    /// <summary>A long queue, and a policy that lets ten of its messages stay.</summary>
    private async Task TrimAsync()
    {
        Load($"-P 1 -C 0 -keep -confirm 5000 -queue long -durable -persistent -size {size} -n {count}");
        Queue queue = Host.Topology.Queues["long-0"];
        Console.WriteLine($"{queue.ReadyCount} messages, {Resident()} MiB");
        Console.WriteLine($"another queue, quiet:    {await NeighbourAsync(4)}");
        Task<string> neighbour = NeighbourAsync(4);
        await Task.Delay(2000);
        long began = Stopwatch.GetTimestamp();
        Host.SetPolicy(new PolicyDraft("cut", "^long", "queues", 0, new ArgumentTable([new Argument("max-length", ArgumentValue.Of(10))])));
        long peak = 0;
        while (queue.ReadyCount > 10)
        {
            peak = Math.Max(peak, Resident());
            await Task.Delay(1);
        }
        Console.WriteLine($"cut to {queue.ReadyCount} in {Stopwatch.GetElapsedTime(began).TotalSeconds:F3} s, at most {peak} MiB");
        Console.WriteLine($"another queue, meanwhile: {await neighbour}");
    }

    private Queue DeclareDeadLetters(string exchange)
    {
        Queue dead = Host.DeclareQueue("dead", true, false, false, ArgumentTable.Empty, this);
        Host.Bind(exchange, "dead", toQueue: true, "", ArgumentTable.Empty, this);
        return dead;
    }

    private static async Task WatchAsync(Queue queue, int expected, long began)
    {
        int before = queue.ReadyCount, first = before;
        double best = 0;
        while (queue.ReadyCount < expected && Stopwatch.GetElapsedTime(began).TotalSeconds < 60)
        {
            await Task.Delay(500);
            best = Math.Max(best, (queue.ReadyCount - before) / 0.5);
            before = queue.ReadyCount;
        }
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Console.WriteLine($"{queue.ReadyCount} moved in {seconds:F2} s (due within {SecondsOfExpiry}): {(queue.ReadyCount - first) / seconds:F0}/s, best half second {best:F0}/s, {Resident()} MiB");
    }

    // The body begins with the generator's monotonic clock; a message that was due has its delay, negated, in its header.
    private static async Task<(int Late, long WorstMs)> LatenessAsync(Queue queue)
    {
        int late = 0;
        long worstMs = 0, wallAheadMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - Stopwatch.GetTimestamp() * 1000 / Stopwatch.Frequency;
        await foreach (BrowsedMessage message in new QueueBrowser(queue).ReadAsync())
        {
            message.Message.Format.TryFindHeader(message.Message.Properties, "x-delay"u8, out HeaderValue delay);
            long published = BitConverter.ToInt64(message.Message.Body), dueAt = published / 1_000_000 - delay.Integer!.Value;
            long arrivedAt = message.ArrivedAtMs - wallAheadMs;
            if (arrivedAt - dueAt > 100) late++;
            worstMs = Math.Max(worstMs, arrivedAt - dueAt);
        }
        return (late, worstMs);
    }

    private async Task<string> NeighbourAsync(int seconds)
    {
        string line = await Task.Run(() => Load($"-P 1 -C 1 -queue neighbour -size 16 -rate 2000 -ack -prefetch 100 -warm 0.5 -d {seconds}"));
        return line[line.IndexOf("e2e", StringComparison.Ordinal)..].Split('|')[0].Trim();
    }

    private string Load(string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(rawload, $"-port {_broker.EndPoint.Port} {arguments}") { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0 || output.Length == 0) throw new InvalidOperationException($"the load generator ended with code {process.ExitCode}: {output}");
        return output;
    }

    private static long Resident() => Environment.WorkingSet >> 20;
}
