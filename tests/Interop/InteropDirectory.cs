namespace Harrier.Interop.Tests;

/// <summary>The source directory of this project, which also holds the runners of the external clients.</summary>
internal static class InteropDirectory
{
    private const string Marker = "Harrier.Interop.Tests.csproj";

    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            foreach (var candidate in new[] { directory.FullName, System.IO.Path.Combine(directory.FullName, "tests", "Interop") })
            {
                if (File.Exists(System.IO.Path.Combine(candidate, Marker))) return candidate;
            }
        }

        throw new DirectoryNotFoundException($"No {Marker} above {AppContext.BaseDirectory}.");
    }
}
