using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using RabbitMQ.Client;

namespace Harrier.Server.Tests;

public sealed partial class ExecutableTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // All that a client of 1.0 says to open a connection: headers, sasl-init and open.
    private static readonly byte[] LoginAndOpen =
    [
        .. "AMQP\u0003\u0001\0\0"u8, 0, 0, 0, 35, 2, 1, 0, 0, 0, 0x53, 0x41, 0xc0, 22, 2, 0xa3, 5, .. "PLAIN"u8, 0xa0, 12, .. "\0guest\0guest"u8,
        .. "AMQP\0\u0001\0\0"u8, 0, 0, 0, 17, 2, 0, 0, 0, 0, 0x53, 0x10, 0xc0, 4, 1, 0xa1, 1, (byte)'c',
    ];

    // Where the executable runs: what it leaves is nobody else's.
    private readonly string _home = Directory.CreateTempSubdirectory("harrier-executable-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task Serve_says_where_it_listens_and_ends_with_0_on_sigterm()
    {
        using Process harrier = Start("serve", "--port", "0", "--data", "elsewhere");
        string line = await ReadLineAsync(harrier, "serves AMQP");
        line.ShouldContain("elsewhere");
        int port = int.Parse(PortPattern().Match(line).Groups[1].Value);
        await using (IConnection connection = await new ConnectionFactory { Port = port, HostName = "127.0.0.1" }.CreateConnectionAsync())
            connection.IsOpen.ShouldBeTrue();

        using (Process kill = Process.Start("kill", ["-TERM", harrier.Id.ToString()])) await kill.WaitForExitAsync();

        await harrier.WaitForExitAsync().WaitAsync(Patience);
        harrier.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Serve_takes_the_time_that_clients_have_to_close()
    {
        var environment = new Dictionary<string, string> { ["HARRIER_LIMITS__CLOSETIMEOUTMS"] = "3000" };
        using Process harrier = Start(environment, "serve", "--port", "0", "--data", "elsewhere");
        int port = int.Parse(PortPattern().Match(await ReadLineAsync(harrier, "serves AMQP")).Groups[1].Value);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await client.GetStream().WriteAsync(LoginAndOpen);
        byte[] answer = new byte[4096];
        for (int count = 0; !Encoding.ASCII.GetString(answer, 0, count).Contains("cluster_name");)
            count += await client.GetStream().ReadAsync(answer.AsMemory(count)).AsTask().WaitAsync(Patience);

        using (Process kill = Process.Start("kill", ["-TERM", harrier.Id.ToString()])) await kill.WaitForExitAsync();

        await ReadLineAsync(harrier, "Harrier has stopped"); // 3 seconds later: the client says nothing
        await harrier.WaitForExitAsync().WaitAsync(Patience);
        harrier.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task Serve_is_the_default_command_and_reads_the_environment_and_a_file()
    {
        string file = Path.Combine(_home, "harrier.json");
        await File.WriteAllTextAsync(file, """{ "port": 1, "users": [ { "name": "ann", "password": "pw" } ] }""");
        using Process harrier = Start(new Dictionary<string, string> { ["HARRIER_PORT"] = "0", ["HARRIER_CONFIG"] = file });
        try
        {
            int port = int.Parse(PortPattern().Match(await ReadLineAsync(harrier, "serves AMQP")).Groups[1].Value);
            var factory = new ConnectionFactory { Port = port, HostName = "127.0.0.1", UserName = "ann", Password = "pw" };
            await using IConnection connection = await factory.CreateConnectionAsync();
            connection.IsOpen.ShouldBeTrue();
        }
        finally
        {
            harrier.Kill();
            await harrier.WaitForExitAsync();
        }
    }

    [Theory]
    [InlineData(2, "bind", "serve", "--bind", "nowhere")]
    [InlineData(1, "--nonsense", "serve", "--nonsense")]
    [InlineData(1, "cannot start", "serve", "--bind", "203.0.113.1", "--port", "0")]
    public async Task Failures_have_an_exit_code_and_a_message(int exitCode, string message, params string[] arguments)
    {
        using Process harrier = Start(arguments);
        string errors = await harrier.StandardError.ReadToEndAsync().WaitAsync(Patience);
        await harrier.WaitForExitAsync().WaitAsync(Patience);

        harrier.ExitCode.ShouldBe(exitCode);
        errors.ShouldContain(message);
    }

    [Fact]
    public async Task Help_shows_a_newcomer_how_to_begin()
    {
        using Process harrier = Start("--help");
        string help = await harrier.StandardOutput.ReadToEndAsync().WaitAsync(Patience);

        help.ShouldContain("serve");
        help.ShouldContain("--port");
        help.ShouldContain("password guest");
    }

    private Process Start(params string[] arguments) => Start(new Dictionary<string, string>(), arguments);

    private Process Start(Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "harrier.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _home,
        };
        foreach ((string name, string value) in environment) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static async Task<string> ReadLineAsync(Process process, string part)
    {
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
            if (line.Contains(part, StringComparison.Ordinal)) return line;
        throw new InvalidOperationException($"the process ended without saying '{part}': {await process.StandardError.ReadToEndAsync()}");
    }

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex PortPattern();
}
