using System.Net;
using System.Reflection;
using Harrier.Amqp;
using Harrier.Amqp.Transport;
using Harrier.Broker;
using Harrier.Broker.Flow;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Harrier.Server;

/// <summary>
/// A running broker in this process. <c>await using var broker = await HarrierBroker.StartAsync()</c> listens on a free port of this machine until it is
/// disposed of.
/// </summary>
public sealed partial class HarrierBroker : IAsyncDisposable
{
    private static readonly TimeSpan ShutdownTimeMax = TimeSpan.FromSeconds(10);

    private readonly WebApplication _listener;
    private readonly AmqpServer _server;
    private readonly DurableBroker _durable;
    private readonly ITimer _memoryChecks;
    private readonly ILogger _log;
    private int _stopped;

    private HarrierBroker(WebApplication listener, AmqpServer server, DurableBroker durable, ITimer memoryChecks, IPEndPoint endPoint, ILogger log)
    {
        _listener = listener;
        _server = server;
        _durable = durable;
        _memoryChecks = memoryChecks;
        EndPoint = endPoint;
        _log = log;
    }

    /// <summary>The broker itself, without a protocol: policies, and looking into queues.</summary>
    public MessageBroker Broker => _durable.Broker;

    /// <summary>The version of Harrier itself.</summary>
    public static string Version { get; } =
        typeof(HarrierBroker).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>Where it listens, with the port that was picked.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>An URI for clients on this machine who log in as guest.</summary>
    public Uri Uri => new($"amqp://guest:guest@{(EndPoint.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : EndPoint.Address)}:{EndPoint.Port}/");

    /// <summary>Client connections at the moment.</summary>
    public int ConnectionCount => _server.ConnectionCount;

    /// <summary>
    /// Starts a broker. Throws <see cref="HarrierOptionsException"/> for impossible options, <see cref="IOException"/> when the port is taken or the data
    /// directory cannot be used: another broker has it, or it does not hold what was written to it.
    /// </summary>
    public static async Task<HarrierBroker> StartAsync(
        HarrierOptions? options = null, ILoggerFactory? loggers = null, TimeProvider? time = null, CancellationToken stop = default)
    {
        options ??= new HarrierOptions();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        long memoryBytesMax = OptionsReader.MemoryWatermark(options);
        ConnectionLimits limits = OptionsReader.Limits(options);
        IPAddress address = OptionsReader.Address(options);
        DurableBroker durable = DurableBroker.Open(options, time, loggers);
        MessageBroker broker = durable.Broker;
        ILogger log = loggers.CreateLogger<HarrierBroker>();
        broker.OnQueueFailure = e => LogQueueFailed(log, e);
        var memory = new MemoryWatermark(memoryBytesMax, () => MeasureMemory(memoryBytesMax), broker.Flow, loggers.CreateLogger<MemoryWatermark>());
        var server = new AmqpServer(broker, limits, options.Identity, time, loggers.CreateLogger<AmqpServer>());
        WebApplication listener = Listen(options, server, loggers);
        try
        {
            await listener.StartAsync(stop);
        }
        catch
        {
            server.Dispose();
            await listener.DisposeAsync();
            durable.Dispose();
            throw;
        }
        var trim = new IdleTrim();
        ITimer memoryChecks = time.CreateTimer(_ => CheckMemory(memory, trim), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        IPEndPoint endPoint = AddressOf(listener, address);
        LogStarted(log, Version, endPoint, options.Data is { } data ? "durable, in " + Path.GetFullPath(data) : "in memory only");
        return new HarrierBroker(listener, server, durable, memoryChecks, endPoint, log);
    }

    /// <summary>Closes every client with 320, answers what is in flight, and stops listening.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0) return;
        LogStopping(_log, _server.ConnectionCount);
        using var late = new CancellationTokenSource(ShutdownTimeMax);
        try
        {
            await _server.ShutdownAsync(late.Token);
            await _listener.StopAsync(late.Token);
            await _memoryChecks.DisposeAsync();
            _server.Dispose();
            await _listener.DisposeAsync();
        }
        finally
        {
            _durable.Dispose();
        }
        LogStopped(_log);
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private static void CheckMemory(MemoryWatermark watermark, IdleTrim trim)
    {
        watermark.Check();
        trim.Check();
    }

    private static WebApplication Listen(HarrierOptions options, AmqpServer server, ILoggerFactory loggers)
    {
        IPAddress address = OptionsReader.Address(options);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(server);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, BlockMemoryPoolFactory>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxResponseBufferSize = 1 << 20; // how much a peer may leave unread before its output counts as backed up
            kestrel.Limits.MaxRequestBufferSize = Math.Max(256 << 10, 2 * options.Limits.FrameBytesMax); // bounds the work of one turn, and takes any frame
            kestrel.Listen(address, options.Port, listen => listen.UseConnectionHandler<AmqpConnectionHandler>());
        });
        return builder.Build();
    }

    private static IPEndPoint AddressOf(WebApplication listener, IPAddress address)
    {
        IServerAddressesFeature addresses = listener.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        return new IPEndPoint(address, new Uri(addresses.Addresses.First()).Port);
    }

    // What is not collected yet counts as used, so near the mark it is collected first: a broker whose consumers only drain allocates next to nothing and
    // would otherwise stay above it.
    private static long MeasureMemory(long bytesMax)
    {
        long used = GC.GetTotalMemory(forceFullCollection: false);
        if (used < bytesMax * 0.9) return used;
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: false);
    }

    [LoggerMessage(1001, LogLevel.Information, "Harrier {Version} serves AMQP 0-9-1 and 1.0 on {EndPoint}; messages are {Data}")]
    private static partial void LogStarted(ILogger log, string version, IPEndPoint endPoint, string data);

    [LoggerMessage(1002, LogLevel.Information, "Harrier is stopping; {Connections} connections are being closed")]
    private static partial void LogStopping(ILogger log, int connections);

    [LoggerMessage(1004, LogLevel.Critical, "A queue could not do what was due and stands still")]
    private static partial void LogQueueFailed(ILogger log, Exception exception);

    [LoggerMessage(1003, LogLevel.Information, "Harrier has stopped")]
    private static partial void LogStopped(ILogger log);
}
