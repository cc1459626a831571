namespace Harrier.Fuzz;

/// <summary>Adds up what a target saw to a number that is the same for the same behaviour in every run.</summary>
internal struct Behaviour
{
    private ulong _hash;

    public readonly long Value => (long)_hash;

    public void Add(long what) => _hash = (_hash ^ (ulong)what) * 0x9E37_79B9_7F4A_7C15 ^ _hash >> 29;

    /// <summary>Adds the part of a text that does not depend on the input: what stands before the first quote or digit.</summary>
    public void AddKind(string text)
    {
        foreach (char c in text)
        {
            if (c is '\'' or '"' or (>= '0' and <= '9')) break;
            Add(c);
        }
    }
}
