namespace Harrier.Fuzz;

/// <summary>Everything that is fuzzed, with the corpus that it starts from.</summary>
internal static class FuzzTargets
{
    private static readonly Dictionary<string, (FuzzTarget Target, Mutator Mutator)> All = new()
    {
        ["frame-reader"] = (FrameReaderTarget.Fuzz, new Mutator([.. Fragments.Frames.Where(f => f.Length < 200), .. Fragments.Words])),
        ["field-table"] = (FieldTableTarget.Fuzz, new Mutator(Fragments.Words)),
        ["publish-properties"] = (PublishPropertiesTarget.Fuzz, new Mutator(Fragments.Words)),
        ["frame-reader-10"] = (FrameReader10Target.Fuzz, new Mutator([.. Fragments10.Frames, .. Fragments10.Words])),
        ["values-10"] = (Values10Target.Fuzz, new Mutator(Fragments10.Words)),
        ["composites-10"] = (Composites10Target.Fuzz, new Mutator(Fragments10.Words)),
        ["message-sections"] = (MessageSectionsTarget.Fuzz, new Mutator(MessageFragments10.Words)),
        ["kept-messages-10"] = (KeptMessagesTarget10.Fuzz, new Mutator(StepWords)),
        ["management-request"] = (ManagementRequestTarget.Fuzz, new Mutator([.. Fragments10.Words, .. ManagementFragments.Words])),
        ["connection-10"] = (ConnectionTarget.Fuzz10, new FrameMutator10(Fragments10.Words, Fragments10.Frames)),
        ["connection"] = (ConnectionTarget.Fuzz, new FrameMutator(Fragments.Words, Fragments.Frames)),
    };

    // Steps in twos, so that pieces that are put in stay steps.
    private static IReadOnlyList<byte[]> StepWords => [.. Enumerable.Range(0, 256).Select(i => (byte[])[(byte)(i % 16), (byte)(i * 37)])];

    public static IEnumerable<string> Names => All.Keys;

    public static FuzzTarget Target(string name) => All[name].Target;

    public static Mutator Mutator(string name) => All[name].Mutator;

    /// <summary>Where inputs of a target are kept, in the repository: crashes are to be checked in with their fix.</summary>
    public static string CorpusDirectory(string name)
    {
        const string Marker = "Directory.Packages.props";
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, Marker))) directory = Path.GetDirectoryName(directory);
        return Path.Combine(directory.ShouldNotBeNull("the tests run inside the repository"), "tests", "Harrier.Fuzz", "corpus", name);
    }

    /// <summary>The names of the files of a corpus, in the same order everywhere.</summary>
    public static IEnumerable<string> CorpusFiles(string name) =>
        Directory.EnumerateFiles(CorpusDirectory(name)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    public static byte[] CorpusInput(string name, string file) => File.ReadAllBytes(Path.Combine(CorpusDirectory(name), file));

    public static FuzzDriver Driver(string name) =>
        new(Target(name), Mutator(name), [.. CorpusFiles(name).Select(f => CorpusInput(name, f))], CorpusDirectory(name));
}
