using System.Buffers;
using System.Collections;

namespace Harrier.Broker.Queues;

/// <summary>
/// A first-in first-out list in the order of sequences, in chunks: it grows without copying, shrinks as it is read, and finds a sequence by bisection. Chunks come from
/// a pool that all queues share and start small, so that a backlog that comes and goes allocates next to nothing and an idle queue holds little.
/// </summary>
internal sealed class ChunkedDeque<T> : IEnumerable<T> where T : struct, ISequenced
{
    private const int ChunkSizeMin = 16;
    private const int ChunkSizeMax = 512;

    // An empty list keeps its chunk up to this size: most queues are empty between any two messages.
    private const int ChunkSizeKept = 64;

    // Chunks that were read stay in front of the list until there are so many and they are half of it.
    private const int ReadChunksMin = 32;

    private readonly List<Chunk> _chunks = [];
    private int _first;
    private Chunk? _head;
    private Chunk? _tail;

    public int Count { get; private set; }

    public void Enqueue(in T item)
    {
        Chunk tail = _tail is { } last && last.End < last.Items.Length ? last : AddChunk();
        tail.Items[tail.End++] = item;
        Count++;
    }

    public ref readonly T Peek() => ref _head!.Items[_head.Start];

    public T Dequeue()
    {
        Chunk head = _head!;
        T item = head.Items[head.Start];
        head.Items[head.Start++] = default;
        Count--;
        if (head.Start == head.End) OnHeadEmptied(head);
        return item;
    }

    /// <summary>The item of that sequence, to be read or replaced in its place; empty when there is none.</summary>
    public Span<T> Find(ulong sequence)
    {
        int low = _first, high = _chunks.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) >>> 1;
            if (_chunks[middle].First.Sequence <= sequence) low = middle;
            else high = middle - 1;
        }
        return Count == 0 ? default : _chunks[low].Find(sequence);
    }

    /// <summary>From the front to the back, without taking anything out.</summary>
    public IEnumerator<T> GetEnumerator()
    {
        for (int at = _first; at < _chunks.Count; at++)
            for (int i = _chunks[at].Start; i < _chunks[at].End; i++) yield return _chunks[at].Items[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Chunk AddChunk()
    {
        int size = _tail is null ? ChunkSizeMin : Math.Min(_tail.Items.Length * 2, ChunkSizeMax);
        var chunk = new Chunk(ArrayPool<T>.Shared.Rent(size));
        _chunks.Add(chunk);
        _head ??= chunk;
        return _tail = chunk;
    }

    private void OnHeadEmptied(Chunk head)
    {
        if (ReferenceEquals(head, _tail) && head.Items.Length <= ChunkSizeKept)
        {
            head.Start = head.End = 0;
            return;
        }
        _chunks[_first++] = null!;
        if (_first == _chunks.Count)
        {
            _chunks.Clear();
            _first = 0;
            _head = _tail = null;
        }
        else
        {
            _head = _chunks[_first];
            if (_first >= ReadChunksMin && _first * 2 >= _chunks.Count) Compact();
        }
        ArrayPool<T>.Shared.Return(head.Items); // what was taken out has been cleared
    }

    private void Compact()
    {
        _chunks.RemoveRange(0, _first);
        _first = 0;
    }

    private sealed class Chunk(T[] items)
    {
        public readonly T[] Items = items;
        public int Start;
        public int End;

        public ref readonly T First => ref Items[Start];

        public Span<T> Find(ulong sequence)
        {
            int low = Start, high = End - 1;
            while (low <= high)
            {
                int middle = (low + high) >>> 1;
                ulong found = Items[middle].Sequence;
                if (found == sequence) return Items.AsSpan(middle, 1);
                if (found < sequence) low = middle + 1;
                else high = middle - 1;
            }
            return default;
        }
    }
}
