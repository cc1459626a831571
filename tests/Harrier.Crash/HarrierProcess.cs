using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Harrier.Crash;

/// <summary>The real executable in a process of its own, which can be killed at any moment.</summary>
internal sealed partial class HarrierProcess : IAsyncDisposable
{
    private const string ServingEvent = "[1001]";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<Socket> _sockets = new();
    private readonly Task _reading;

    private HarrierProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public bool IsServing => _port.Task.IsCompletedSuccessfully;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything that it has said.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Errors that it has logged; a broker that was killed and starts again has no reason for any.</summary>
    public IEnumerable<string> LoggedErrors => _output.Where(line => ErrorPattern().IsMatch(line));

    /// <summary>Begins to start a broker and does not wait for it.</summary>
    public static HarrierProcess Launch(string data, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "harrier.dll"), "serve", "--port", "0", "--bind", "127.0.0.1", "--data", data])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return new HarrierProcess(Process.Start(start)!);
    }

    /// <summary>Starts a broker and waits until it serves clients.</summary>
    public static async Task<HarrierProcess> StartAsync(string data, params (string Name, string Value)[] environment)
    {
        HarrierProcess harrier = Launch(data, environment);
        try
        {
            await harrier._port.Task.InTimeAsync("the broker to serve");
            return harrier;
        }
        catch (Exception e)
        {
            string output = harrier.Output;
            await harrier.DisposeAsync();
            throw new InvalidOperationException($"the broker did not start: {e.Message}\n{output}", e);
        }
    }

    /// <summary>A connection that does not recover by itself.</summary>
    public async Task<IConnection> ConnectAsync()
    {
        var factory = new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = await _port.Task,
            AutomaticRecoveryEnabled = false,
            RequestedConnectionTimeout = Patience.Limit,
            ContinuationTimeout = Patience.Limit,
            SocketFactory = _ => new TcpClientAdapter(NewSocket()),
        };
        return await factory.CreateConnectionAsync();
    }

    /// <summary>Tears down the sockets of all clients under them.</summary>
    public void ResetConnections()
    {
        while (_sockets.TryDequeue(out Socket? socket)) socket.Close(0);
    }

    /// <summary>kill -9: the process is gone between two instructions.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await WaitForExitAsync();
    }

    /// <summary>Asks it to stop, as an operator does; answers its exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using (Process kill = Process.Start("kill", ["-TERM", _process.Id.ToString()])) await kill.WaitForExitAsync();
        return await WaitForExitAsync();
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().InTimeAsync($"the broker's end; it says:\n{Output}");
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _sockets.Enqueue(socket);
        return socket;
    }

    // It is read to the end: a broker whose log nobody reads would stand still.
    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _output.Enqueue(line);
            if (line.Contains(ServingEvent, StringComparison.Ordinal)) _port.TrySetResult(int.Parse(PortPattern().Match(line).Groups[1].Value));
        }
        _port.TrySetException(new InvalidOperationException("the process has ended"));
        _ = _port.Task.Exception; // nobody waits for the port of a broker that is killed while it starts
    }

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex PortPattern();

    [GeneratedRegex(@"\b(fail|crit): ")]
    private static partial Regex ErrorPattern();
}
