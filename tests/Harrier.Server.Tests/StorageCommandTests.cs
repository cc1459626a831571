using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using RabbitMQ.Client;

namespace Harrier.Server.Tests;

/// <summary>The commands for operators, on a directory that a broker has left.</summary>
public sealed partial class StorageCommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _data = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    public void Dispose()
    {
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task What_a_broker_has_left_is_shown_and_is_whole()
    {
        await FillAsync("TERM");
        string before = Fingerprint();

        (int exitCode, string text, _) = await RunAsync("storage", "inspect", _data);
        exitCode.ShouldBe(0);
        text.ShouldContain("manifest: format version 3");
        text.ShouldContain("orders");
        (exitCode, string json, _) = await RunAsync("storage", "inspect", _data, "--json");
        exitCode.ShouldBe(0);
        JsonElement root = JsonDocument.Parse(json).RootElement;
        JsonElement queue = root.GetProperty("queues").EnumerateArray().Single(q => q.GetProperty("queue").GetString() == "orders");
        queue.GetProperty("virtualHost").GetString().ShouldBe("/");
        queue.GetProperty("messages").GetInt64().ShouldBe(20);
        queue.GetProperty("runs").EnumerateArray().Sum(run => run.GetProperty("messages").GetInt32()).ShouldBe(20);
        root.GetProperty("manifest").GetProperty("formatVersion").GetInt32().ShouldBe(3);
        root.GetProperty("segments").EnumerateArray().Sum(s => s.GetProperty("records").GetInt64()).ShouldBe(20);
        root.GetProperty("damages").GetArrayLength().ShouldBe(0);
        (exitCode, text, _) = await RunAsync("storage", "verify", _data);
        exitCode.ShouldBe(0);
        text.ShouldStartWith("whole: 2 queues, 20 messages");

        Fingerprint().ShouldBe(before, "nothing is made or changed");
    }

    [Fact]
    public async Task What_stands_in_the_log_only_is_counted()
    {
        await FillAsync("KILL");
        (int exitCode, string json, _) = await RunAsync("storage", "inspect", _data, "--json");
        exitCode.ShouldBe(0);
        JsonElement root = JsonDocument.Parse(json).RootElement;
        JsonElement queue = root.GetProperty("queues").EnumerateArray().Single(q => q.GetProperty("queue").GetString() == "orders");
        queue.GetProperty("messages").GetInt64().ShouldBe(20);
        queue.GetProperty("logMessages").GetInt64().ShouldBe(20);
        root.GetProperty("logFiles").EnumerateArray().Sum(f => f.GetProperty("frames").GetInt64()).ShouldBeGreaterThan(0);
        (await RunAsync("storage", "verify", _data)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_damaged_segment_is_named_with_the_offset()
    {
        await FillAsync("TERM");
        string segment = Directory.GetFiles(Path.Combine(_data, "segments")).Single();
        Flip(segment, 32 + 40);
        string before = Fingerprint();
        (int exitCode, _, string errors) = await RunAsync("storage", "verify", _data);
        exitCode.ShouldBe(1);
        errors.ShouldContain($"damaged: segments/{Path.GetFileName(segment)}");
        errors.ShouldContain("offset 32");
        (exitCode, string text, _) = await RunAsync("storage", "inspect", _data);
        exitCode.ShouldBe(1);
        text.ShouldContain("orders", customMessage: "what can be read is shown");
        Fingerprint().ShouldBe(before);
    }

    [Fact]
    public async Task A_missing_segment_and_a_damaged_manifest_are_named()
    {
        await FillAsync("TERM");
        string segment = Directory.GetFiles(Path.Combine(_data, "segments")).Single();
        File.Move(segment, segment + ".away");
        (await RunAsync("storage", "verify", _data)).Errors.ShouldContain($"segments/{Path.GetFileName(segment)} is missing");
        Flip(Path.Combine(_data, "manifest"), 60);
        (int exitCode, _, string errors) = await RunAsync("storage", "verify", _data);
        exitCode.ShouldBe(1);
        errors.ShouldContain("the manifest is damaged");
        (await RunAsync("storage", "inspect", _data)).ExitCode.ShouldBe(1);
    }

    [Fact]
    public async Task A_damaged_log_is_named_with_file_and_offset()
    {
        await FillAsync("KILL");
        // The first frame, which the later ones prove.
        string log = Directory.GetFiles(Path.Combine(_data, "log")).Order(StringComparer.Ordinal).First(file => File.ReadAllBytes(file).AsSpan(0, 7).SequenceEqual("HARLOG1"u8));
        Flip(log, 512 + 32 + 20);
        (int exitCode, _, string errors) = await RunAsync("storage", "verify", _data);
        exitCode.ShouldBe(1);
        errors.ShouldContain(Path.GetFileName(log));
        errors.ShouldContain("damaged");
    }

    [Fact]
    public async Task While_a_broker_runs_the_directory_is_left_alone()
    {
        using Process broker = Start("serve", "--port", "0", "--data", _data);
        try
        {
            await ReadPortAsync(broker);
            foreach (string command in (string[])["inspect", "verify"])
            {
                (int exitCode, _, string errors) = await RunAsync("storage", command, _data);
                exitCode.ShouldBe(1);
                errors.ShouldContain("a broker is running");
            }
        }
        finally
        {
            broker.Kill();
        }
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_not_made()
    {
        (int exitCode, _, string errors) = await RunAsync("storage", "inspect", _data);
        exitCode.ShouldBe(1);
        errors.ShouldContain("no such directory");
        Directory.Exists(_data).ShouldBeFalse();
        Directory.CreateDirectory(_data);
        (exitCode, _, errors) = await RunAsync("storage", "verify", _data);
        exitCode.ShouldBe(1);
        errors.ShouldContain("manifest is missing");
        Directory.GetFileSystemEntries(_data).ShouldBeEmpty();
    }

    private static void Flip(string file, int offset)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[offset] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using Process harrier = Start(arguments);
        Task<string> output = harrier.StandardOutput.ReadToEndAsync(), errors = harrier.StandardError.ReadToEndAsync();
        await harrier.WaitForExitAsync().WaitAsync(Patience);
        return (harrier.ExitCode, await output, await errors);
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "harrier.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<int> ReadPortAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
            if (PortPattern().Match(line) is { Success: true } match) return int.Parse(match.Groups[1].Value);
        throw new InvalidOperationException($"the process ended without saying where it listens: {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Has a broker take 20 messages, and ends it with a signal.</summary>
    private async Task FillAsync(string signal)
    {
        using Process broker = Start("serve", "--port", "0", "--data", _data);
        var factory = new ConnectionFactory { Port = await ReadPortAsync(broker), HostName = "127.0.0.1" };
        await using (IConnection connection = await factory.CreateConnectionAsync())
        {
            var confirms = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
            await using IChannel channel = await connection.CreateChannelAsync(confirms);
            foreach (string queue in (string[])["orders", "empty"]) await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
            var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent };
            for (int i = 0; i < 20; i++) await channel.BasicPublishAsync("", "orders", mandatory: true, properties, new byte[100]);
            using Process kill = Process.Start("kill", [$"-{signal}", broker.Id.ToString()]);
            await kill.WaitForExitAsync();
            await broker.WaitForExitAsync().WaitAsync(Patience);
        }
    }

    private string Fingerprint() => string.Join('\n', Directory.GetFiles(_data, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(file => $"{file} {File.GetLastWriteTimeUtc(file).Ticks} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))}"));

    [GeneratedRegex(@"127\.0\.0\.1:(\d+)")]
    private static partial Regex PortPattern();
}
