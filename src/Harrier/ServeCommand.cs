using System.Net.Sockets;
using System.Runtime.InteropServices;
using Harrier.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Harrier;

/// <summary>Runs a broker until the process is told to stop. Exit codes: 0 stopped in order, 1 could not start, 2 wrong options.</summary>
internal static class ServeCommand
{
    private const int DefaultPort = 5672;
    private const string DefaultData = "./data";

    public static async Task<int> RunAsync(ServeArguments arguments)
    {
        using ILoggerFactory loggers = CreateLoggers(arguments);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        try
        {
            await using HarrierBroker broker = await HarrierBroker.StartAsync(ReadOptions(arguments), loggers);
            await stopping.Task;
            return 0;
        }
        catch (Exception e) when (e is HarrierOptionsException or InvalidOperationException or FormatException or InvalidDataException)
        {
            Console.Error.WriteLine($"harrier: {e.Message}");
            return 2;
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"harrier: cannot start: {e.Message}");
            return 1;
        }

        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true; // the process ends when the broker has stopped
            stopping.TrySetResult();
        }
    }

    private static HarrierOptions ReadOptions(ServeArguments arguments)
    {
        string? file = arguments.Config?.FullName ?? Environment.GetEnvironmentVariable("HARRIER_CONFIG");
        var configuration = new ConfigurationBuilder();
        if (file is not null) configuration.AddJsonFile(Path.GetFullPath(file), optional: false);
        configuration.AddEnvironmentVariables("HARRIER_");
        var options = new HarrierOptions { Port = DefaultPort, Data = DefaultData };
        configuration.Build().Bind(options);
        options.Port = arguments.Port ?? options.Port;
        options.Bind = arguments.Bind ?? options.Bind;
        options.Data = arguments.Data ?? options.Data;
        return options;
    }

    private static ILoggerFactory CreateLoggers(ServeArguments arguments) => LoggerFactory.Create(logging =>
    {
        logging.SetMinimumLevel(arguments.Verbose ? LogLevel.Debug : LogLevel.Information);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        const string TimestampFormat = "yyyy-MM-dd HH:mm:ss.fff'Z' ";
        if (arguments.Log == LogFormat.Json)
        {
            logging.AddJsonConsole(console =>
            {
                console.UseUtcTimestamp = true;
                console.TimestampFormat = TimestampFormat;
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = TimestampFormat;
            });
        }
    });
}
