using System.CommandLine;

namespace Harrier;

/// <summary>The commands of the executable and their options. What is not given on the command line comes from the environment, then from the file.</summary>
internal static class CommandLine
{
    private static readonly Option<int?> Port = new("--port", "-p") { Description = "Port to listen on; 0 picks a free one [default: 5672; HARRIER_PORT]" };
    private static readonly Option<string?> Bind = new("--bind") { Description = "IP address to listen on; 0.0.0.0 for all [default: 127.0.0.1; HARRIER_BIND]" };
    private static readonly Option<string?> Data = new("--data") { Description = "Data directory [default: ./data; HARRIER_DATA]" };
    private static readonly Option<FileInfo?> Config = new("--config") { Description = "JSON file with options [HARRIER_CONFIG]" };
    private static readonly Option<LogFormat> Log = new("--log")
    {
        Description = "How the log is written to standard output",
        DefaultValueFactory = _ => LogFormat.Text,
        Recursive = true,
    };
    private static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Log more than an operator usually wants to know" };

    public static RootCommand Create()
    {
        Command serve = WithServeOptions(new Command("serve", "Run the broker (the default command)"));
        RootCommand root = WithServeOptions(new RootCommand(
            """
            Harrier is a message broker for AMQP 0-9-1, compatible with RabbitMQ's clients.
              harrier                      serves on 127.0.0.1:5672; log in as guest, password guest
              harrier serve --port 0       serves on a free port and says which
            """));
        root.Subcommands.Add(serve);
        root.Subcommands.Add(StorageCommand.Create());
        return root;
    }

    private static TCommand WithServeOptions<TCommand>(TCommand command) where TCommand : Command
    {
        Option[] options = [Port, Bind, Data, Config, Log, Verbose];
        foreach (Option option in options) command.Options.Add(option);
        command.SetAction((parsed, _) => ServeCommand.RunAsync(new ServeArguments(
            parsed.GetValue(Port), parsed.GetValue(Bind), parsed.GetValue(Data), parsed.GetValue(Config), parsed.GetValue(Log), parsed.GetValue(Verbose))));
        return command;
    }
}

/// <summary>What was said on the command line; null where nothing was.</summary>
internal sealed record ServeArguments(int? Port, string? Bind, string? Data, FileInfo? Config, LogFormat Log, bool Verbose);

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    Text,
    Json,
}
