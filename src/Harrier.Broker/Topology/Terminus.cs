using System.Security.Cryptography;
using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;

namespace Harrier.Broker.Topology;

/// <summary>
/// The end of a 1.0 link that outlives the link (1.0 part 3, section 3.5: durable termini), as a queue that the broker makes for itself: so it is logged, found
/// after a restart, and expires, as queues do. Of a link to the broker it holds what was received and not settled; for one from the broker it only stands.
/// </summary>
public static class Terminus
{
    private const string QueueArgument = "x-queue";
    private const string QueueIdArgument = "x-queue-id"; // another queue may get the name

    /// <summary>Its name: links are known by their container, their name and their direction (1.0 part 2, section 2.6.1), each user's by themselves.</summary>
    public static Utf8Name NameOf(string user, string container, string link, bool isSource)
    {
        byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{(isSource ? 's' : 't')}{user.Length}:{user}{container.Length}:{container}{link}"));
        return new Utf8Name("amq.link." + Convert.ToHexStringLower(digest));
    }

    /// <summary>What it is declared with.</summary>
    /// <param name="container">The peer.</param>
    /// <param name="link">The link.</param>
    /// <param name="queue">The queue that messages come from, or null for a target.</param>
    /// <param name="expiresMs">How long it stays when nobody is attached; null for ever.</param>
    public static ArgumentTable ArgumentsOf(string container, string link, Queue? queue, long? expiresMs)
    {
        var arguments = new List<Argument> { new("x-container", ArgumentValue.Of(container)), new("x-link", ArgumentValue.Of(link)) };
        if (queue is not null)
        {
            arguments.Add(new Argument(QueueArgument, ArgumentValue.Of(queue.NameText)));
            arguments.Add(new Argument(QueueIdArgument, ArgumentValue.Of(queue.Id.Value)));
        }
        if (expiresMs is { } timeMs) arguments.Add(new Argument("x-expires", ArgumentValue.Of(timeMs)));
        return new ArgumentTable([.. arguments]);
    }

    /// <summary>Whether two tables are for the same queue, or both for none.</summary>
    internal static bool AreOfOneQueue(ArgumentTable one, ArgumentTable other) => one.Find(QueueIdArgument).Equals(other.Find(QueueIdArgument));

    /// <summary>Gives back what is held for a terminus that has ended.</summary>
    internal static void Release(Queue terminus, VirtualHostTopology topology)
    {
        if (FindQueue(terminus, topology) is not { } queue) return;
        new CommandBatch().Ask(new QueueCommand(QueueCommandKind.Abandon, queue, Sequence: (ulong)terminus.Id.Value));
    }

    /// <summary>Has its queue know after a restart that somebody may come back to it.</summary>
    internal static void Restore(Queue terminus, VirtualHostTopology topology)
    {
        if (FindQueue(terminus, topology) is not { } queue) return;
        lock (queue.Shard.Gate) queue.Machine.RestoreSuspended(terminus.Id.Value);
    }

    private static Queue? FindQueue(Queue terminus, VirtualHostTopology topology)
    {
        ArgumentTable arguments = terminus.Definition.Arguments;
        if (!arguments.TryGet(QueueArgument, out ArgumentValue name) || !topology.Queues.TryGetValue(name.Text, out Queue? queue)) return null;
        return arguments.TryGet(QueueIdArgument, out ArgumentValue id) && id.Equals(ArgumentValue.Of(queue.Id.Value)) ? queue : null;
    }
}
