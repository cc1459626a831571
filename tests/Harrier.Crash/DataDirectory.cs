namespace Harrier.Crash;

/// <summary>A directory of a test's own, which outlives the brokers that use it.</summary>
internal sealed class DataDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("harrier-crash-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
