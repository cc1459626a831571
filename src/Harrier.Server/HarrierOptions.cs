using Harrier.Amqp;

namespace Harrier.Server;

/// <summary>Everything that can be said about a broker before it starts.</summary>
public sealed class HarrierOptions
{
    /// <summary>The port to listen on; 0 picks a free one.</summary>
    public int Port { get; set; }

    /// <summary>The IP address to listen on. 0.0.0.0 and :: stand for all.</summary>
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>The data directory; null keeps everything in memory, for tests. The executable's default is ./data.</summary>
    public string? Data { get; set; }

    /// <summary>Bytes of a log file in the data directory.</summary>
    public long LogFileBytes { get; set; } = 64 << 20;

    /// <summary>Bytes of free disk space under which publishers are held back.</summary>
    public long DiskFreeBytesMin { get; set; } = 256 << 20;

    /// <summary>Bytes of memory that ready messages which are in the log may take before they leave it.</summary>
    public long DurableMemoryBytes { get; set; } = 32 << 20;

    /// <summary>Bytes of memory that other ready messages may take before they are written to files for the time being.</summary>
    public long TransientMemoryBytes { get; set; } = 256 << 20;

    /// <summary>Virtual hosts that exist.</summary>
    public IList<string> VirtualHosts { get; } = [];

    /// <summary>Users who may log in. Without any there is guest, with password guest, from this machine only.</summary>
    public IList<UserOptions> Users { get; } = [];

    /// <summary>The user that clients without a name log in as (SASL ANONYMOUS); null refuses them. RabbitMQ: anonymous_login_user.</summary>
    public string? AnonymousUser { get; set; }

    public ConnectionLimits Limits { get; set; } = new();

    public ServerIdentity Identity { get; set; } = new();

    /// <summary>The share of the machine's (or container's) memory above which publishers are held back.</summary>
    public double MemoryWatermark { get; set; } = 0.6;

    /// <summary>The same in bytes; wins over the share when it is set.</summary>
    public long? MemoryWatermarkBytes { get; set; }
}

/// <summary>A user to declare.</summary>
public sealed class UserOptions
{
    public string Name { get; set; } = "";

    /// <summary>The password in the clear; or use <see cref="PasswordHash"/>.</summary>
    public string? Password { get; set; }

    /// <summary>A salted SHA-256 in RabbitMQ's form (the password_hash of its definitions).</summary>
    public string? PasswordHash { get; set; }

    public IList<string> Tags { get; } = [];

    /// <summary>Whether the user may only connect from this machine.</summary>
    public bool LoopbackOnly { get; set; }

    /// <summary>By virtual host. Without any the user may do everything in every virtual host.</summary>
    public IDictionary<string, PermissionOptions> Permissions { get; } = new Dictionary<string, PermissionOptions>(StringComparer.Ordinal);
}

/// <summary>Regular expressions over the names that a user may configure, write to and read from; an empty one allows nothing.</summary>
public sealed class PermissionOptions
{
    public string Configure { get; set; } = "";

    public string Write { get; set; } = "";

    public string Read { get; set; } = "";
}
