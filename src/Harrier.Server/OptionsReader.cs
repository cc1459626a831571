using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using Harrier.Amqp;
using Harrier.Broker.Durability;
using Harrier.Broker.Security;

namespace Harrier.Server;

/// <summary>Options that say something impossible. The message is for the operator.</summary>
public sealed class HarrierOptionsException(string message) : Exception(message);

/// <summary>Turns options into the parts of a broker, or says what is wrong with them.</summary>
internal static class OptionsReader
{
    public static IPAddress Address(HarrierOptions options) =>
        IPAddress.TryParse(options.Bind, out IPAddress? address) ? address : throw new HarrierOptionsException($"bind: '{options.Bind}' is not an IP address");

    /// <summary>The virtual hosts that are to exist.</summary>
    public static string[] VirtualHosts(HarrierOptions options) =>
        options.VirtualHosts.Count > 0 ? [.. options.VirtualHosts.Distinct(StringComparer.Ordinal)] : ["/"];

    /// <summary>The users who may log in.</summary>
    public static UserStore Users(HarrierOptions options, Random random)
    {
        IEnumerable<UserOptions> declared = options.Users.Count > 0 ? options.Users : [Guest()];
        User[] users = [.. declared.Select(u => User(u, VirtualHosts(options), random)).DistinctBy(u => u.Name)];
        if (options.AnonymousUser is { } name && users.All(u => u.Name != name))
            throw new HarrierOptionsException($"anonymousUser: there is no user '{name}'");
        return new UserStore(users, options.AnonymousUser);
    }

    /// <summary>How the data directory is used.</summary>
    public static StorageSettings Storage(HarrierOptions options)
    {
        AssertWithin(nameof(options.LogFileBytes), options.LogFileBytes, 1 << 20, 1 << 30);
        AssertWithin(nameof(options.DiskFreeBytesMin), options.DiskFreeBytesMin, 0, long.MaxValue);
        AssertWithin(nameof(options.DurableMemoryBytes), options.DurableMemoryBytes, 1 << 20, 1 << 30);
        AssertWithin(nameof(options.TransientMemoryBytes), options.TransientMemoryBytes, 1 << 20, 1 << 30);
        return new StorageSettings
        {
            LogFileBytes = options.LogFileBytes,
            DiskFreeBytesMin = options.DiskFreeBytesMin,
            LoggedBytesMax = options.DurableMemoryBytes,
            UnloggedBytesMax = options.TransientMemoryBytes,
        };
    }

    /// <summary>Bytes of memory above which publishers are held back.</summary>
    public static long MemoryWatermark(HarrierOptions options)
    {
        if (options.MemoryWatermarkBytes is { } bytes) return bytes;
        if (options.MemoryWatermark is <= 0 or > 1) throw new HarrierOptionsException("memoryWatermark: the share must be above 0 and at most 1");
        return (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * options.MemoryWatermark);
    }

    /// <summary>The limits, when they are ones that the protocol can express and the broker can keep.</summary>
    public static ConnectionLimits Limits(HarrierOptions options)
    {
        const int FrameBytesLeast = 4096; // 0-9-1 section 4.2.3: every peer can take that
        const int FrameBytesMost = 16 << 20, MessageBytesMost = 512 << 20;
        ConnectionLimits limits = options.Limits;
        AssertWithin(nameof(limits.FrameBytesMax), limits.FrameBytesMax, FrameBytesLeast, FrameBytesMost);
        AssertWithin(nameof(limits.FrameBytesMin), limits.FrameBytesMin, FrameBytesLeast, limits.FrameBytesMax);
        AssertWithin(nameof(limits.InitialFrameBytesMax), limits.InitialFrameBytesMax, FrameBytesLeast, FrameBytesMost);
        AssertWithin(nameof(limits.ChannelsMax), limits.ChannelsMax, 1, ushort.MaxValue);
        AssertWithin(nameof(limits.ConsumersPerChannelMax), limits.ConsumersPerChannelMax, 1, int.MaxValue);
        AssertWithin(nameof(limits.MessageBytesMax), limits.MessageBytesMax, 0, MessageBytesMost);
        AssertWithin(nameof(limits.TransactionBytesMax), limits.TransactionBytesMax, 0, MessageBytesMost);
        AssertWithin(nameof(limits.ConnectionsMax), limits.ConnectionsMax, 1, 1_000_000);
        AssertWithin(nameof(limits.HeartbeatSeconds), limits.HeartbeatSeconds, 0, ushort.MaxValue);
        AssertWithin(nameof(limits.HandshakeTimeoutMs), limits.HandshakeTimeoutMs, 1, int.MaxValue);
        AssertWithin(nameof(limits.CloseTimeoutMs), limits.CloseTimeoutMs, 1, int.MaxValue);
        return limits;
    }

    private static void AssertWithin(string name, long value, long min, long max)
    {
        if (value < min || value > max) throw new HarrierOptionsException($"limits: {name}: {value} is not between {min} and {max}");
    }

    private static UserOptions Guest() => new() { Name = "guest", Password = "guest", LoopbackOnly = true, Tags = { "administrator" } };

    private static User User(UserOptions options, string[] virtualHosts, Random random)
    {
        if (options.Name.Length == 0) throw new HarrierOptionsException("users: a user has no name");
        FrozenDictionary<string, Permissions> permissions = options.Permissions.Count == 0
            ? virtualHosts.ToFrozenDictionary(v => v, _ => Permissions.All, StringComparer.Ordinal)
            : options.Permissions.ToFrozenDictionary(p => p.Key, p => PermissionsOf(options.Name, p.Value), StringComparer.Ordinal);
        return new User(options.Name, Password(options, random), options.Tags.ToFrozenSet(StringComparer.Ordinal), permissions, options.LoopbackOnly);
    }

    private static PasswordHash? Password(UserOptions options, Random random)
    {
        if (options.PasswordHash is not { } hash) return options.Password is { } password ? PasswordHash.Of(password, random) : null;
        try
        {
            return PasswordHash.Parse(hash);
        }
        catch (FormatException e)
        {
            throw new HarrierOptionsException($"users: {options.Name}: passwordHash: {e.Message}");
        }
    }

    private static Permissions PermissionsOf(string user, PermissionOptions options)
    {
        try
        {
            return new Permissions(new PermissionPattern(options.Configure), new PermissionPattern(options.Write), new PermissionPattern(options.Read));
        }
        catch (ArgumentException e)
        {
            throw new HarrierOptionsException($"users: {user}: permissions: {e.Message}");
        }
    }

    /// <summary>Names that the broker gives must not be guessed.</summary>
    public sealed class SecureRandom : Random
    {
        public override void NextBytes(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

        public override void NextBytes(byte[] buffer) => RandomNumberGenerator.Fill(buffer);
    }
}
