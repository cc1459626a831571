using System.Numerics;

namespace Harrier.Broker.Queues;

/// <summary>Which sequences of one block are in a <see cref="SequenceSet"/>: a bit for each, 512 bytes for all.</summary>
internal sealed class SequenceBlock
{
    /// <summary>Sequences of a block.</summary>
    public const int Size = 4096;

    private const int WordBits = 64;

    private readonly ulong[] _words = new ulong[Size / WordBits];

    /// <summary>How many are in.</summary>
    public int Count { get; private set; }

    public bool Contains(int index) => (_words[index / WordBits] & 1UL << index) != 0;

    /// <summary>Adds one; false when it is in already.</summary>
    public bool Add(int index)
    {
        ref ulong word = ref _words[index / WordBits];
        ulong bit = 1UL << index;
        if ((word & bit) != 0) return false;
        word |= bit;
        Count++;
        return true;
    }

    /// <summary>Adds all from one to another; how many of them are new.</summary>
    public int AddRange(int first, int last)
    {
        int before = Count;
        for (int word = first / WordBits; word <= last / WordBits; word++)
        {
            ulong bits = BitsOf(word, first, last);
            Count += BitOperations.PopCount(bits & ~_words[word]);
            _words[word] |= bits;
        }
        return Count - before;
    }

    /// <summary>How many are in, from one to another.</summary>
    public int CountIn(int first, int last)
    {
        int count = 0;
        for (int word = first / WordBits; word <= last / WordBits; word++) count += BitOperations.PopCount(_words[word] & BitsOf(word, first, last));
        return count;
    }

    /// <summary>The first from there on that is in; <see cref="Size"/> when none is.</summary>
    public int FindIn(int from) => Find(from, 0);

    /// <summary>The first from there on that is not in; <see cref="Size"/> when all are.</summary>
    public int FindOut(int from) => Find(from, ulong.MaxValue);

    private int Find(int from, ulong flip)
    {
        if (from >= Size) return Size;
        int word = from / WordBits;
        ulong bits = (_words[word] ^ flip) & ulong.MaxValue << from;
        while (bits == 0)
        {
            if (++word == _words.Length) return Size;
            bits = _words[word] ^ flip;
        }
        return word * WordBits + BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>The bits of one word that stand for what lies from first to last.</summary>
    private static ulong BitsOf(int word, int first, int last)
    {
        int low = Math.Max(first - word * WordBits, 0), high = Math.Min(last - word * WordBits, WordBits - 1);
        return ulong.MaxValue << low & ulong.MaxValue >> (WordBits - 1 - high);
    }
}
