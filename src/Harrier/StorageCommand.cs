using System.CommandLine;
using Harrier.Server;

namespace Harrier;

/// <summary>Looks at the data directory of a broker that does not run.</summary>
internal static class StorageCommand
{
    private static readonly Argument<string> Directory = new("directory") { Description = "Data directory; nothing in it is changed" };
    private static readonly Option<bool> Json = new("--json") { Description = "Write JSON instead of tables" };

    public static Command Create()
    {
        var inspect = new Command("inspect", "Show what a data directory holds") { Directory, Json };
        inspect.SetAction(parsed => StorageCommands.Inspect(parsed.GetValue(Directory)!, parsed.GetValue(Json), Console.Out, Console.Error));
        var verify = new Command("verify", "Read everything in a data directory and say whether it is whole (exit code 0) or damaged (1)") { Directory };
        verify.SetAction(parsed => StorageCommands.Verify(parsed.GetValue(Directory)!, Console.Out, Console.Error));
        return new Command("storage", "Look at the data directory of a broker that does not run") { inspect, verify };
    }
}
