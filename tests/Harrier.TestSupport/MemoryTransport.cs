using System.Buffers;
using System.IO.Pipelines;

namespace Harrier.TestSupport;

/// <summary>One end of an in-memory connection.</summary>
public sealed class MemoryTransport : IDuplexPipe
{
    private MemoryTransport(PipeReader input, PipeWriter output)
    {
        Input = input;
        Output = output;
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>
    /// Both ends of a connection. A flush of the client's output ends when the server has looked at every byte, so that a script knows what the
    /// server has seen without waiting for an answer.
    /// </summary>
    /// <param name="unreadBytesMax">What the client may leave unread before the server's flushes wait.</param>
    /// <param name="segmentBytes">The size of the segments in which the server sees its input; 0 for the usual ones.</param>
    public static (MemoryTransport Client, MemoryTransport Server) CreatePair(int unreadBytesMax, int segmentBytes = 0)
    {
        var toServer = new Pipe(new PipeOptions(
            segmentBytes > 0 ? new FixedBlockPool(segmentBytes) : null, pauseWriterThreshold: 1, resumeWriterThreshold: 1,
            minimumSegmentSize: segmentBytes > 0 ? segmentBytes : -1, useSynchronizationContext: false));
        var toClient = new Pipe(new PipeOptions(
            pauseWriterThreshold: unreadBytesMax, resumeWriterThreshold: Math.Max(1, unreadBytesMax / 2), useSynchronizationContext: false));
        return (new MemoryTransport(toClient.Reader, toServer.Writer), new MemoryTransport(toServer.Reader, toClient.Writer));
    }

    /// <summary>Gives blocks of exactly one size, so that frames cross the borders of segments.</summary>
    private sealed class FixedBlockPool(int blockBytes) : MemoryPool<byte>
    {
        public override int MaxBufferSize => blockBytes;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => new Block(new byte[blockBytes]);

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Block(byte[] bytes) : IMemoryOwner<byte>
        {
            public Memory<byte> Memory => bytes;

            public void Dispose()
            {
            }
        }
    }
}
