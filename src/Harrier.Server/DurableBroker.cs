using Harrier.Amqp;
using Harrier.Broker;
using Harrier.Broker.Durability;
using Harrier.Broker.Messages;
using Harrier.Broker.Security;
using Harrier.Storage.Disk;
using Microsoft.Extensions.Logging;

namespace Harrier.Server;

/// <summary>A message broker with its data directory, if it has one.</summary>
internal sealed class DurableBroker : IDisposable
{
    private readonly BrokerStorage? _storage;
    private readonly StorageThreads? _threads;

    private DurableBroker(MessageBroker broker, BrokerStorage? storage, StorageThreads? threads)
    {
        Broker = broker;
        _storage = storage;
        _threads = threads;
    }

    public MessageBroker Broker { get; }

    /// <summary>Opens the data directory and reads what is in it.</summary>
    public static DurableBroker Open(HarrierOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        var random = new OptionsReader.SecureRandom();
        string[] virtualHosts = OptionsReader.VirtualHosts(options);
        UserStore users = OptionsReader.Users(options, random);
        if (options.Data is not { } data) return new DurableBroker(new MessageBroker(virtualHosts, users, random, time), null, null);

        StorageSettings settings = OptionsReader.Storage(options);
        BrokerStorage storage = Open(data, settings, random, time, loggers);
        try
        {
            var broker = new MessageBroker(virtualHosts, users, storage);
            return new DurableBroker(broker, storage, new StorageThreads(storage, broker, time, Fail, loggers));
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Broker.Dispose();
        _threads?.Dispose();
        _storage?.Dispose();
    }

    private static BrokerStorage Open(string data, StorageSettings settings, Random random, TimeProvider time, ILoggerFactory loggers)
    {
        try
        {
            return BrokerStorage.Open(new RealDisk(data), settings, new MessageFormats(AmqpServer.MessageFormats), random, time, loggers.CreateLogger<BrokerStorage>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DataDamagedException)
        {
            throw new IOException($"data directory {Path.GetFullPath(data)}: {e.Message}", e);
        }
    }

    // What a disk has not written although it was asked to cannot be known any more; only a start from what is really there tells.
    private static void Fail(Exception e) => Environment.FailFast("Harrier stops: the disk failed. " + e.Message, e);
}
