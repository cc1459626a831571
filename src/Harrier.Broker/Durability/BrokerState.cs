using Harrier.Storage.Disk;

namespace Harrier.Broker.Durability;

/// <summary>The broker's part of a manifest.</summary>
/// <param name="Indexes">The last unit of every stream that is reflected; the topology's stream comes last.</param>
/// <param name="LastQueueId">The number of the last queue that was ever made.</param>
/// <param name="TopologyOps">The ops that make the topologies.</param>
/// <param name="Sections">The queues that hold or held something, as <see cref="QueueSnapshot.WriteSection"/> writes them.</param>
internal sealed record BrokerState(ulong[] Indexes, long LastQueueId, ReadOnlyMemory<byte> TopologyOps, IReadOnlyList<ReadOnlyMemory<byte>> Sections)
{
    public void Write(OpWriter writer)
    {
        writer.Number(Indexes.Length);
        foreach (ulong index in Indexes) writer.Number(index);
        writer.Number(LastQueueId);
        writer.Bytes(TopologyOps.Span);
        writer.Number(Sections.Count);
        foreach (ReadOnlyMemory<byte> section in Sections) writer.Bytes(section.Span);
    }

    /// <summary>Reads what <see cref="Write"/> has written; of no bytes, the state of a new broker.</summary>
    public static BrokerState Read(ReadOnlyMemory<byte> bytes, int streamCount)
    {
        if (bytes.IsEmpty) return new BrokerState(new ulong[streamCount], 0, default, []);
        var reader = new OpReader(bytes.Span);
        var indexes = new ulong[reader.Count()];
        if (indexes.Length != streamCount)
            throw new DataDamagedException($"the data directory was made with {indexes.Length} streams; this Harrier has {streamCount}");
        for (int i = 0; i < indexes.Length; i++) indexes[i] = reader.Number();
        long lastQueueId = (long)reader.Number();
        byte[] topologyOps = reader.Bytes().ToArray();
        var sections = new ReadOnlyMemory<byte>[reader.Count()];
        for (int i = 0; i < sections.Length; i++) sections[i] = reader.Bytes().ToArray();
        return new BrokerState(indexes, lastQueueId, topologyOps, sections);
    }
}
