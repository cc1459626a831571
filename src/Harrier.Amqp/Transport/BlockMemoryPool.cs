using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace Harrier.Amqp.Transport;

/// <summary>Gives Kestrel's sockets one pool of large blocks: its default of 4 KiB costs half of the throughput at 1 KiB bodies.</summary>
public sealed class BlockMemoryPoolFactory : IMemoryPoolFactory<byte>
{
    private readonly BlockMemoryPool _pool = new();

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => _pool;
}

/// <summary>Pinned blocks of one size, kept for reuse up to a limit. Thread-safe. Shared by all sockets, so that disposing of it does nothing.</summary>
internal sealed class BlockMemoryPool : MemoryPool<byte>
{
    private const int BlockBytes = 64 << 10;
    private const int BlocksKeptMax = 512;

    private readonly ConcurrentBag<Block> _blocks = [];
    private int _kept;

    public override int MaxBufferSize => BlockBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!_blocks.TryTake(out Block? block)) return new Block(this);
        Interlocked.Decrement(ref _kept);
        return block;
    }

    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _kept) <= BlocksKeptMax) _blocks.Add(block);
        else Interlocked.Decrement(ref _kept);
    }

    private sealed class Block(BlockMemoryPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(BlockBytes, pinned: true);

        public void Dispose() => pool.Return(this);
    }
}
