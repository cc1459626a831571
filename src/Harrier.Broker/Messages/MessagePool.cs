using System.Numerics;

namespace Harrier.Broker.Messages;

/// <summary>
/// Keeps messages with their buffers for reuse, by size. Each thread has a magazine per size class; full and empty magazines are exchanged with a
/// depot under a lock, once per magazine and not per message, because publishers rent on one thread what consumers return on another.
/// </summary>
internal static class MessagePool
{
    /// <summary>Buffers above this are left to the garbage collector.</summary>
    internal const int PooledSizeMax = 1 << 20;

    /// <summary>Bytes that the depot keeps at most, over all size classes.</summary>
    internal const long DepotBytesMax = 64 << 20;

    private const int SmallestSize = 128;
    private const int MagazineBytes = 64 << 10;
    private const int MagazineMessagesMax = 64;

    // Two classes per power of two (128, 192, 256, 384, ...) waste at most a third.
    private static readonly int ClassCount = ClassOf(PooledSizeMax) + 1;
    private static readonly Depot[] Depots = [.. Enumerable.Range(0, ClassCount).Select(_ => new Depot())];
    private static long _depotBytes;

    [ThreadStatic]
    private static Magazine[]? _magazines;

    internal static Message Rent(int size)
    {
        if (size > PooledSizeMax) return new Message(GC.AllocateUninitializedArray<byte>(size), -1);
        int sizeClass = ClassOf(size);
        ref Magazine magazine = ref Local(sizeClass);
        if (magazine.Count == 0 && !TryExchangeForFull(sizeClass, ref magazine))
            return new Message(GC.AllocateUninitializedArray<byte>(SizeOf(sizeClass)), sizeClass);
        return magazine.Pop();
    }

    internal static void Return(Message message)
    {
        if (message.SizeClass < 0) return;
        ref Magazine magazine = ref Local(message.SizeClass);
        if (magazine.IsFull) ExchangeForEmpty(message.SizeClass, ref magazine);
        magazine.Push(message);
    }

    private static ref Magazine Local(int sizeClass)
    {
        Magazine[] magazines = _magazines ??= new Magazine[ClassCount];
        ref Magazine magazine = ref magazines[sizeClass];
        magazine ??= new Magazine(CapacityOf(sizeClass));
        return ref magazine;
    }

    private static bool TryExchangeForFull(int sizeClass, ref Magazine magazine)
    {
        Depot depot = Depots[sizeClass];
        lock (depot)
        {
            if (!depot.Full.TryPop(out Magazine? full)) return false;
            depot.Empty.Push(magazine);
            magazine = full;
        }
        Interlocked.Add(ref _depotBytes, -magazine.Count * (long)SizeOf(sizeClass));
        return true;
    }

    private static void ExchangeForEmpty(int sizeClass, ref Magazine magazine)
    {
        long bytes = magazine.Count * (long)SizeOf(sizeClass);
        if (Interlocked.Add(ref _depotBytes, bytes) > DepotBytesMax)
        {
            Interlocked.Add(ref _depotBytes, -bytes);
            magazine.Clear();
            return;
        }
        Depot depot = Depots[sizeClass];
        lock (depot)
        {
            depot.Full.Push(magazine);
            magazine = depot.Empty.TryPop(out Magazine? empty) ? empty : new Magazine(CapacityOf(sizeClass));
        }
    }

    internal static int ClassOf(int size)
    {
        if (size <= SmallestSize) return 0;
        int log = BitOperations.Log2((uint)size - 1); // 2^log < size <= 2^(log+1)
        int upperHalf = size > (3 << (log - 1)) ? 1 : 0;
        return (log - BitOperations.Log2(SmallestSize)) * 2 + 1 + upperHalf;
    }

    internal static int SizeOf(int sizeClass) => sizeClass % 2 == 0
        ? SmallestSize << (sizeClass / 2)
        : (SmallestSize + SmallestSize / 2) << (sizeClass / 2);

    private static int CapacityOf(int sizeClass) => Math.Clamp(MagazineBytes / SizeOf(sizeClass), 1, MagazineMessagesMax);

    private sealed class Depot
    {
        public Stack<Magazine> Full { get; } = new();

        public Stack<Magazine> Empty { get; } = new();
    }

    private sealed class Magazine(int capacity)
    {
        private readonly Message[] _messages = new Message[capacity];

        public int Count { get; private set; }

        public bool IsFull => Count == _messages.Length;

        public Message Pop()
        {
            Message message = _messages[--Count];
            _messages[Count] = null!;
            return message;
        }

        public void Push(Message message) => _messages[Count++] = message;

        public void Clear()
        {
            Array.Clear(_messages);
            Count = 0;
        }
    }
}
