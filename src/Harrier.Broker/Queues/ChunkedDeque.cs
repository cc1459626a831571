using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// A first-in first-out list in chunks: it grows without copying and shrinks as it is read. Chunks come from a pool that all queues share and start small,
/// so that a backlog that comes and goes allocates next to nothing and an idle queue holds little.
/// </summary>
internal sealed class ChunkedDeque<T> : IEnumerable<T>
{
    private const int ChunkSizeMin = 16;
    private const int ChunkSizeMax = 512;

    // An empty list keeps its chunk up to this size: most queues are empty between any two messages.
    private const int ChunkSizeKept = 64;

    private Chunk? _head;
    private Chunk? _tail;

    public int Count { get; private set; }

    public void Enqueue(in T item)
    {
        if (_tail is null || _tail.End == _tail.Items.Length) AddChunk();
        _tail.Items[_tail.End++] = item;
        Count++;
    }

    public ref readonly T Peek() => ref _head!.Items[_head.Start];

    public T Dequeue()
    {
        Chunk head = _head!;
        T item = head.Items[head.Start];
        head.Items[head.Start++] = default!;
        Count--;
        if (head.Start == head.End) OnHeadEmptied(head);
        return item;
    }

    /// <summary>From the front to the back, without taking anything out.</summary>
    public IEnumerator<T> GetEnumerator()
    {
        for (Chunk? chunk = _head; chunk is not null; chunk = chunk.Next)
            for (int i = chunk.Start; i < chunk.End; i++) yield return chunk.Items[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    [MemberNotNull(nameof(_tail))]
    private void AddChunk()
    {
        int size = _tail is null ? ChunkSizeMin : Math.Min(_tail.Items.Length * 2, ChunkSizeMax);
        var chunk = new Chunk(ArrayPool<T>.Shared.Rent(size));
        if (_tail is null) _head = chunk;
        else _tail.Next = chunk;
        _tail = chunk;
    }

    private void OnHeadEmptied(Chunk head)
    {
        if (head.Next is null && head.Items.Length <= ChunkSizeKept)
        {
            head.Start = head.End = 0;
            return;
        }
        _head = head.Next;
        if (_head is null) _tail = null;
        ArrayPool<T>.Shared.Return(head.Items); // what was taken out has been cleared
    }

    private sealed class Chunk(T[] items)
    {
        public readonly T[] Items = items;
        public int Start;
        public int End;
        public Chunk? Next;
    }
}
