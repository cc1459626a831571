using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>
/// Destinations that share hashes in proportion to their weights. Each destination draws a score for a hash, and the best takes it (weighted
/// rendezvous). Compared with a ring of points or jump hashing over buckets: shares are exact for any weights, memory does not grow with them, a new
/// destination takes hashes from the others and moves none between them, and the order in which they came does not matter, so a restart changes
/// nothing. The price is a look at every destination, a nanosecond or two each.
/// </summary>
internal sealed class HashShares
{
    private readonly Destination[] _destinations;
    private readonly ulong[] _seeds;
    private readonly WeightClass[] _classes;

    /// <summary>Shares of the destinations of bindings, of which the first to each counts.</summary>
    public HashShares(ImmutableArray<Binding> bindings)
    {
        (Destination Destination, long Weight, ulong Seed)[] shares =
        [
            .. bindings.DistinctBy(b => b.Destination)
                .Select(b => (b.Destination, ConsistentHashTable.ReadWeight(b.RoutingKey.Span) ?? 1, SeedOf(b.Destination)))
                .OrderBy(s => s.Item2).ThenBy(s => s.Item3),
        ];
        _destinations = [.. shares.Select(s => s.Destination)];
        _seeds = [.. shares.Select(s => s.Seed)];
        var classes = new List<WeightClass>();
        for (int i = 0; i < shares.Length; i++)
        {
            if (i + 1 == shares.Length || shares[i + 1].Weight != shares[i].Weight) classes.Add(new WeightClass(i + 1, shares[i].Weight));
        }
        _classes = [.. classes];
    }

    /// <summary>The destination that a hash belongs to; there must be one.</summary>
    public Destination Find(ulong hash)
    {
        int best = 0, start = 0;
        double bestWait = double.PositiveInfinity;
        foreach (WeightClass weightClass in _classes)
        {
            int winner = FindHighest(hash, start, weightClass.End, out ulong score);
            if (_classes.Length == 1) return _destinations[winner];
            // With the score as a uniform number u, -ln(u) / weight is how long a destination waits that comes by so often: the first to come wins.
            double wait = -Math.Log(((score >> 12) + 0.5) / (1L << 52)) / weightClass.Weight;
            if (wait < bestWait) (best, bestWait) = (winner, wait);
            start = weightClass.End;
        }
        return _destinations[best];
    }

    // Among equal weights the highest score waits least, so that a class needs one logarithm.
    private int FindHighest(ulong hash, int start, int end, out ulong highest)
    {
        int winner = start;
        highest = 0;
        for (int i = start; i < end; i++)
        {
            ulong score = StableHash.Mix(hash ^ _seeds[i]);
            if (score <= highest) continue;
            (winner, highest) = (i, score);
        }
        return winner;
    }

    // A queue and an exchange of one name are two destinations.
    private static ulong SeedOf(Destination destination)
    {
        ulong hash = StableHash.Of(destination.Name.Span);
        return destination.IsQueue ? hash : ~hash;
    }

    /// <summary>The destinations of one weight, from the end of the class before to its own.</summary>
    private readonly record struct WeightClass(int End, long Weight);
}
