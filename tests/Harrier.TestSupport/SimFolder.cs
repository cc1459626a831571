namespace Harrier.TestSupport;

/// <summary>
/// The names of a folder: those that a process sees, those that are durable, and the changes between the two. A file system with a journal keeps
/// changes in order, so that a crash leaves the first few of them.
/// </summary>
internal sealed class SimFolder : SimEntry
{
    private readonly SortedDictionary<string, SimEntry> _live;
    private readonly SortedDictionary<string, SimEntry> _durable;
    private readonly List<Change> _unsynced = [];

    public SimFolder()
        : this(new SortedDictionary<string, SimEntry>(StringComparer.Ordinal))
    {
    }

    private SimFolder(SortedDictionary<string, SimEntry> entries)
    {
        _live = entries;
        _durable = new SortedDictionary<string, SimEntry>(entries, StringComparer.Ordinal);
    }

    /// <summary>Names in order, with what they stand for.</summary>
    public IEnumerable<KeyValuePair<string, SimEntry>> Entries => _live;

    public SimEntry? Find(string name) => _live.GetValueOrDefault(name);

    public void Add(string name, SimEntry entry) => Make(new Change(null, name, entry));

    public void Remove(string name) => Make(new Change(name, null, null));

    public void Rename(string from, string to) => Make(new Change(from, to, _live[from]));

    public void Sync()
    {
        foreach (Change change in _unsynced) change.Apply(_durable);
        _unsynced.Clear();
    }

    public override SimFolder Survivor(SimCrash? crash)
    {
        var names = new SortedDictionary<string, SimEntry>(_durable, StringComparer.Ordinal);
        int count = crash?.Random.Next(_unsynced.Count + 1) ?? 0;
        foreach (Change change in _unsynced.Take(count)) change.Apply(names);
        var entries = new SortedDictionary<string, SimEntry>(StringComparer.Ordinal);
        foreach ((string name, SimEntry entry) in names) entries.Add(name, entry.Survivor(crash));
        return new SimFolder(entries);
    }

    private void Make(Change change)
    {
        change.Apply(_live);
        _unsynced.Add(change);
    }

    /// <summary>One change, which happens as a whole or not at all: a rename takes a name away and gives another.</summary>
    private sealed record Change(string? Removed, string? Added, SimEntry? Entry)
    {
        public void Apply(SortedDictionary<string, SimEntry> names)
        {
            if (Removed is not null) names.Remove(Removed);
            if (Added is not null) names[Added] = Entry!;
        }
    }
}
