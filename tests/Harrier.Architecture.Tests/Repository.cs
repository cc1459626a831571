namespace Harrier.Architecture.Tests;

/// <summary>The files of the repository that this was built in.</summary>
internal static class Repository
{
    public static readonly string Root = FindRoot();

    /// <summary>Files below a folder of the repository, none when there is no such folder; without what a build or a tool leaves behind.</summary>
    public static IEnumerable<string> Files(string folder, string pattern)
    {
        string path = Path.Combine(Root, folder);
        if (!Directory.Exists(path)) return [];
        return Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories)
            .Where(f => !Relative(f).Split('/').Any(part => part is "bin" or "obj" or "node_modules" or "TestResults"))
            .Order(StringComparer.Ordinal);
    }

    /// <summary>C# that people write: not what tools do.</summary>
    public static IEnumerable<string> Sources(params string[] folders) =>
        folders.SelectMany(f => Files(f, "*.cs")).Where(f => !f.EndsWith(".g.cs", StringComparison.Ordinal));

    /// <summary>The path from the root, with slashes.</summary>
    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static string FindRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Directory.Packages.props"))) return at.FullName;
        throw new InvalidOperationException("no Directory.Packages.props above " + AppContext.BaseDirectory);
    }
}
