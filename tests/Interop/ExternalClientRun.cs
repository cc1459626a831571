using System.Diagnostics;
using System.Text;

namespace Harrier.Interop.Tests;

/// <summary>Runs all scenarios of one external client once, when the first of them is asked for.</summary>
public abstract class ExternalClientRun(BrokerUnderTest broker, string program, string runner)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private Task<Finished>? _all;

    public async Task ShouldPassAsync(string scenario)
    {
        var run = await (_all ??= RunAsync(broker.Uri.AbsoluteUri, "all"));
        var line = run.Lines.LastOrDefault(line => line == $"ok {scenario}" || line.StartsWith($"FAILED {scenario}:", StringComparison.Ordinal));
        if (line is null) Assert.Fail($"{runner} printed nothing for {scenario} ({run.Ending}).\n{run.Tail}");
        if (line != $"ok {scenario}") Assert.Fail(line);
    }

    public async Task<IReadOnlyList<string>> ListAsync()
    {
        var run = await RunAsync("--list");
        if (run.ExitCode != 0) Assert.Fail($"{runner} --list: {run.Ending}.\n{run.Tail}");
        return run.Lines;
    }

    private async Task<Finished> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(program, [Path.Combine(InteropDirectory.Path, runner), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";

        var lines = new List<string>();
        var errors = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Keep(line.Data, text => lines.Add(text));
        process.ErrorDataReceived += (_, line) => Keep(line.Data, text => errors.AppendLine(text));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        int? exitCode = null;
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
            exitCode = process.ExitCode;
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
        }

        lock (lines) return new Finished([.. lines], errors.ToString(), exitCode);

        void Keep(string? text, Action<string> keep)
        {
            if (text is null) return;
            lock (lines) keep(text);
        }
    }

    private sealed record Finished(IReadOnlyList<string> Lines, string Errors, int? ExitCode)
    {
        public string Ending => ExitCode is { } code ? $"exit code {code}" : $"killed after {Limit}";

        public string Tail => Errors.Length <= 2000 ? Errors : Errors[^2000..];
    }
}
