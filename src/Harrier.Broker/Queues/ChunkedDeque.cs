using System.Diagnostics.CodeAnalysis;

namespace Harrier.Broker.Queues;

/// <summary>
/// A first-in first-out list in chunks: it grows without copying, shrinks as it is read, and in a steady flow allocates nothing because one emptied
/// chunk is kept for reuse.
/// </summary>
internal sealed class ChunkedDeque<T>
{
    private const int ChunkSize = 512;

    private Chunk? _head;
    private Chunk? _tail;
    private Chunk? _spare;

    public int Count { get; private set; }

    public void Enqueue(in T item)
    {
        if (_tail is null || _tail.End == ChunkSize) AddChunk();
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
        if (head.Start == head.End) RemoveHead(head);
        return item;
    }

    [MemberNotNull(nameof(_tail))]
    private void AddChunk()
    {
        Chunk chunk = _spare ?? new Chunk();
        _spare = null;
        if (_tail is null) _head = chunk;
        else _tail.Next = chunk;
        _tail = chunk;
    }

    private void RemoveHead(Chunk head)
    {
        _head = head.Next;
        if (_head is null) _tail = null;
        head.Start = head.End = 0;
        head.Next = null;
        _spare = head;
    }

    private sealed class Chunk
    {
        public readonly T[] Items = new T[ChunkSize];
        public int Start;
        public int End;
        public Chunk? Next;
    }
}
