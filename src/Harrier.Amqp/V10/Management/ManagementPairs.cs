using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>
/// The pairs of links between one session's peer and the management node: by their name, one for requests and one for replies, attached in either order
/// (behaviour note 114). Owned by the connection's task.
/// </summary>
internal sealed class ManagementPairs(Session10 session)
{
    /// <summary>Bytes of the replies that may wait in a session.</summary>
    public const int UnsentBytesMax = 4 << 20;

    private readonly Dictionary<string, ManagementPair> _pairs = [];

    /// <summary>Bytes of the replies that wait for credit or for the session's window.</summary>
    public int UnsentBytes { get; set; }

    /// <summary>Makes the link for requests. Refusals are thrown.</summary>
    public Link10 AttachRequests(in Attach attach)
    {
        ManagementPair pair = Find(in attach);
        if (pair.Requests is not null) throw AmqpErrors.PairIsComplete(pair.Name);
        return pair.Requests = new RequestLink10(session, in attach, pair);
    }

    /// <summary>Makes the link for replies. Refusals are thrown.</summary>
    public Link10 AttachReplies(in Attach attach)
    {
        ManagementPair pair = Find(in attach);
        if (pair.Replies is not null) throw AmqpErrors.PairIsComplete(pair.Name);
        return pair.Replies = new ReplyLink10(session, in attach, pair);
    }

    /// <summary>Forgets a pair of which nothing is left.</summary>
    public void RemoveEnded(ManagementPair pair)
    {
        if (pair.Requests is null && pair.Replies is null) _pairs.Remove(pair.Name);
    }

    private ManagementPair Find(in Attach attach)
    {
        if (!IsPaired(attach.Properties)) throw AmqpErrors.NotPaired();
        string name = Encoding.UTF8.GetString(attach.Name);
        if (!_pairs.TryGetValue(name, out ManagementPair? pair)) _pairs.Add(name, pair = new ManagementPair(name));
        return pair;
    }

    private static bool IsPaired(ReadOnlySpan<byte> properties)
    {
        if (properties.IsEmpty) return false;
        var reader = new ValueReader(properties);
        return MapReader10.Find(Value10.Read(ref reader), "paired"u8).Boolean == true;
    }
}

/// <summary>Two links that belong together; null for the one that is not attached.</summary>
internal sealed class ManagementPair(string name)
{
    /// <summary>The properties of both attaches, encoded.</summary>
    public static readonly byte[] Properties = EncodeProperties();

    public string Name { get; } = name;

    public RequestLink10? Requests { get; set; }

    public ReplyLink10? Replies { get; set; }

    /// <summary>Requests whose replies are not sent yet.</summary>
    public int UnansweredCount { get; private set; }

    public void OnRequest() => UnansweredCount++;

    /// <summary>A reply was sent.</summary>
    public void OnAnswered()
    {
        UnansweredCount--;
        Requests?.GrantMore();
    }

    /// <summary>There is nobody any more to send replies to.</summary>
    public void OnLost(int count) => UnansweredCount -= count;

    private static byte[] EncodeProperties()
    {
        var writer = new ValueWriter(stackalloc byte[32]);
        int map = writer.BeginMap();
        writer.WriteSymbol("paired"u8);
        writer.WriteBoolean(true);
        writer.End(map, 2);
        return writer.Written.ToArray();
    }
}
