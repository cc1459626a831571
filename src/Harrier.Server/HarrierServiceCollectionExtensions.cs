using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Harrier.Server;

/// <summary>Adds a broker to a .NET host.</summary>
public static class HarrierServiceCollectionExtensions
{
    /// <summary>The host starts the broker with itself and stops it with itself. Ask for <see cref="HarrierService"/> to learn its port.</summary>
    public static IServiceCollection AddHarrier(this IServiceCollection services, Action<HarrierOptions>? configure = null)
    {
        services.AddOptions<HarrierOptions>();
        if (configure is not null) services.Configure(configure);
        services.AddSingleton<HarrierService>();
        services.AddHostedService(provider => provider.GetRequiredService<HarrierService>());
        return services;
    }
}

/// <summary>The broker of a host.</summary>
public sealed class HarrierService(IOptions<HarrierOptions> options, ILoggerFactory loggers) : IHostedService
{
    private HarrierBroker? _broker;

    /// <summary>The running broker; throws <see cref="InvalidOperationException"/> before the host has started.</summary>
    public HarrierBroker Broker => _broker ?? throw new InvalidOperationException("the host has not started the broker yet");

    public async Task StartAsync(CancellationToken cancellationToken) =>
        _broker = await HarrierBroker.StartAsync(options.Value, loggers, stop: cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_broker is not null) await _broker.StopAsync();
    }
}
