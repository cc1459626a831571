using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Harrier.Interop.Tests;

/// <summary>
/// The broker that all scenarios share: the one that the variable BROKER names, or a Harrier that this fixture starts.
/// </summary>
public sealed partial class BrokerUnderTest : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly string _dataDirectory = Path.Combine(Path.GetTempPath(), $"harrier-interop-{Guid.NewGuid():N}");
    private Process? _process;
    private StringBuilder _output = new();

    /// <summary>With an explicit virtual host, because clients disagree on what an absent or empty path means.</summary>
    public Uri Uri { get; private set; } = new("amqp://guest:guest@127.0.0.1:5672/%2F");

    public static bool IsExternal => ExternalBroker is not null;

    /// <summary>Null when this broker cannot be restarted.</summary>
    private static string? RestartCommand => Variable("BROKER_RESTART");

    private static string? ExternalBroker => Variable("BROKER");

    public static bool CanRestart => !IsExternal || RestartCommand is not null;

    public async Task InitializeAsync()
    {
        if (ExternalBroker is { } uri)
        {
            Uri = WithVirtualHost(new Uri(uri));
            return;
        }

        try
        {
            await StartAsync(port: 0);
        }
        catch
        {
            // xunit does not dispose a fixture that failed to initialize.
            await DisposeAsync();
            throw;
        }
    }

    public async Task DisposeAsync()
    {
        await StopAsync();
        if (Directory.Exists(_dataDirectory)) Directory.Delete(_dataDirectory, recursive: true);
    }

    public async Task RestartAsync()
    {
        if (IsExternal)
        {
            await RunShellAsync(RestartCommand ?? throw new InvalidOperationException("BROKER_RESTART is not set."));
            await Eventually.IsTrueAsync(AcceptsConnectionsAsync, "the broker accepts connections again");
            return;
        }

        await StopAsync();
        await StartAsync(Uri.Port);
    }

    private async Task StartAsync(int port)
    {
        string[] arguments =
        [
            "serve", "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--data", _dataDirectory,
        ];
        var start = Variable("HARRIER_BIN") is { } executable
            ? new ProcessStartInfo(executable, arguments)
            : new ProcessStartInfo("dotnet", [BuiltHarrier(), .. arguments]);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;

        var listening = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var output = _output = new StringBuilder();
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => OnLine(line.Data, isOutput: true);
        process.ErrorDataReceived += (_, line) => OnLine(line.Data, isOutput: false);
        process.Exited += (_, _) => listening.TrySetException(new InvalidOperationException($"Harrier ended.\n{Said(output)}"));
        Directory.CreateDirectory(_dataDirectory);
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        try
        {
            var listeningPort = await listening.Task.WaitAsync(StartLimit);
            Uri = new Uri($"amqp://guest:guest@127.0.0.1:{listeningPort}/%2F");
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Harrier did not say where it listens.\n{Said(output)}");
        }

        void OnLine(string? line, bool isOutput)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
            if (isOutput && ListeningAddress().Match(line) is { Success: true } match)
                listening.TrySetResult(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        }
    }

    private async Task StopAsync()
    {
        if (_process is not { } process) return;
        _process = null;
        if (!process.HasExited) _ = SendSignal(process.Id, signal: 15);
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            await Console.Error.WriteLineAsync($"Harrier ignored SIGTERM.\n{Said(_output)}");
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task<bool> AcceptsConnectionsAsync()
    {
        try
        {
            await using var connection = await Clients.FactoryFor(Uri).CreateConnectionAsync();
            return true;
        }
        catch (RabbitMQ.Client.Exceptions.BrokerUnreachableException)
        {
            return false;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task RunShellAsync(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]))!;
        await shell.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        if (shell.ExitCode != 0) throw new InvalidOperationException($"The restart command ended with {shell.ExitCode}: {command}");
    }

    private static string BuiltHarrier()
    {
#if DEBUG
        const string configuration = "Debug";
#else
        const string configuration = "Release";
#endif
        var path = Path.Combine(
            InteropDirectory.Path, "..", "..", "src", "Harrier", "bin", configuration, "net10.0", "harrier.dll");
        return File.Exists(path) ? Path.GetFullPath(path) : throw new FileNotFoundException("Build Harrier, or set HARRIER_BIN or BROKER.", path);
    }

    private static Uri WithVirtualHost(Uri uri) => uri.AbsolutePath is "" or "/" ? new Uri(uri, "/%2F") : uri;

    private static string Said(StringBuilder output)
    {
        lock (output) return output.ToString();
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)", RegexOptions.CultureInvariant)]
    private static partial Regex ListeningAddress();

    // .NET has no way to send SIGTERM: Process.Kill sends SIGKILL.
    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}

/// <summary>One collection for all classes: a restart must not meet another scenario.</summary>
[CollectionDefinition(Name)]
public sealed class InteropCollection : ICollectionFixture<BrokerUnderTest>
{
    public const string Name = "interop";
}
