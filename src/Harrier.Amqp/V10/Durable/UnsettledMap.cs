using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Durable;

/// <summary>The deliveries that one end of a link has not settled, by their tags, each with its outcome if it has one (1.0 part 2, section 2.7.3: unsettled).</summary>
internal sealed class UnsettledMap
{
    /// <summary>Bytes of the longest delivery tag (1.0 part 2, section 2.8.7).</summary>
    public const int TagSizeMax = 32;

    private readonly Dictionary<Utf8Name, Outcome?> _states = [];

    public bool Contains(ReadOnlySpan<byte> tag) => _states.ContainsKey(new Utf8Name(tag));

    /// <summary>Whether the delivery is in the map; then with its outcome, or null while it has none.</summary>
    public bool TryGet(ReadOnlySpan<byte> tag, out Outcome? outcome) => _states.TryGetValue(new Utf8Name(tag), out outcome);

    /// <summary>Reads an encoded map, or default for none. Throws <see cref="DecodeException"/> when it is malformed.</summary>
    public static UnsettledMap Read(ReadOnlySpan<byte> encoded)
    {
        var map = new UnsettledMap();
        if (encoded.IsEmpty) return map;
        var reader = new ValueReader(encoded);
        for (int left = reader.ReadMap(out ValueReader items); left > 0; left -= 2)
        {
            ReadOnlySpan<byte> tag = items.ReadBinary();
            if (tag.Length > TagSizeMax) throw new DecodeException($"a delivery tag has more than {TagSizeMax} bytes");
            DeliveryState state = items.TryReadNull() ? default : DeliveryState.Read(items.ReadValue());
            // Its transaction was rolled back with the session (1.0 part 4, section 4.4): there is no outcome.
            map._states[new Utf8Name(tag)] = state.IsTransactional ? null : state.Outcome;
        }
        return map;
    }

    /// <summary>Encodes tags that share one state. As many as fit the size are in it.</summary>
    /// <param name="tags">The tags.</param>
    /// <param name="state">The encoded state, or empty for none.</param>
    /// <param name="sizeMax">Bytes that the map may take.</param>
    /// <param name="isComplete">Whether all are in it.</param>
    /// <returns>The map, or nothing when there are no tags.</returns>
    public static byte[] Encode(IReadOnlyCollection<byte[]> tags, ReadOnlySpan<byte> state, int sizeMax, out bool isComplete)
    {
        isComplete = true;
        if (tags.Count == 0) return [];
        var writer = new ValueWriter(stackalloc byte[256]);
        int mark = writer.BeginMap(), count = 0;
        foreach (byte[] tag in tags)
        {
            isComplete = writer.Size + 2 + tag.Length + Math.Max(1, state.Length) <= sizeMax;
            if (!isComplete) break;
            writer.WriteBinary(tag);
            if (state.IsEmpty) writer.WriteNull();
            else writer.WriteRaw(state);
            count += 2;
        }
        writer.End(mark, count);
        byte[] bytes = writer.Written.ToArray();
        writer.Dispose();
        return bytes;
    }
}
