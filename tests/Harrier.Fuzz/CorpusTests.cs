namespace Harrier.Fuzz;

/// <summary>Everything that was ever worth keeping still passes: each file of the corpus, one after the other and without chance.</summary>
public sealed class CorpusTests
{
    public static TheoryData<string, string> Files
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (string target in FuzzTargets.Names)
                foreach (string file in FuzzTargets.CorpusFiles(target)) files.Add(target, file);
            return files;
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void An_input_that_was_kept_passes(string target, string file) => FuzzTargets.Target(target)(FuzzTargets.CorpusInput(target, file));
}
