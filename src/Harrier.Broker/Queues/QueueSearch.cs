using Harrier.Broker.Filters;

namespace Harrier.Broker.Queues;

/// <summary>
/// How far a consumer has looked through its queue that looks for its messages itself: because it wants only some of them, or only their copies. Each turn of it is
/// one <see cref="SearchTurn"/>, which is asked for when there may be something. Its queue's, under the shard's lock.
/// </summary>
internal sealed class QueueSearch(QueueConsumer consumer)
{
    private const int PieceBytesMin = 32 << 10;
    private const int PieceBytesMax = 256 << 10;

    private readonly Dictionary<byte, Place> _places = [];

    public QueueConsumer Consumer { get; } = consumer;

    /// <summary>Which messages it is for; null for all.</summary>
    public IMessageFilter? Filter => Consumer.Filter;

    /// <summary>Whether a turn is on its way.</summary>
    public bool IsUnderWay { get; set; }

    /// <summary>Whether it has seen everything that is there.</summary>
    public bool IsAtEnd { get; set; }

    /// <summary>Whether it has come to what cannot be read. It looks no more, and its consumer has been told.</summary>
    public bool HasFailed { get; set; }

    /// <summary>Bytes to read from disk in the next turn: the more is looked through without a stop, the larger the pieces.</summary>
    public int PieceBytes { get; private set; } = PieceBytesMin;

    /// <summary>Where it stands among the messages of a lane that were never taken out.</summary>
    public ulong SeenUpTo(byte lane) => _places.GetValueOrDefault(lane).Seen;

    /// <summary>Where it stands among those that came back.</summary>
    public ulong ReturnedSeenUpTo(byte lane) => _places.GetValueOrDefault(lane).ReturnedSeen;

    /// <summary>Where in a run it goes on, counted from the run's start.</summary>
    public long OffsetIn(DiskRun run, byte lane) =>
        _places.GetValueOrDefault(lane) is { Run: { } known } place && ReferenceEquals(known, run) ? Math.Max(place.Offset, run.Next - run.Start) : run.Next - run.Start;

    /// <summary>A message is there that was not before. Who only looks has seen those behind it already, and passes over it.</summary>
    public void OnReady(byte lane, ulong sequence)
    {
        IsAtEnd = false;
        Place place = _places.GetValueOrDefault(lane);
        if (Consumer.IsBrowsing || (!IsUnderWay && place.ReturnedSeen < sequence)) return;
        _places[lane] = place with { ReturnedSeen = Math.Min(place.ReturnedSeen, sequence - 1), CameBack = Math.Min(place.CameBackOr(ulong.MaxValue), sequence) };
    }

    /// <summary>Begins a turn.</summary>
    public void Begin(byte lane)
    {
        IsUnderWay = true;
        _places[lane] = _places.GetValueOrDefault(lane) with { CameBack = 0 };
    }

    /// <summary>Takes note of what a turn has seen.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="stop">The first message that could not be given yet, or null.</param>
    public void Finish(SearchTurn turn, ulong? stop)
    {
        IsUnderWay = false;
        ulong seen = stop - 1 ?? turn.SeenUpTo;
        Place place = _places.GetValueOrDefault(turn.Lane);
        if (Consumer.IsBrowsing) place = place with { Seen = seen, ReturnedSeen = seen };
        else if (turn.AreReturned) place = place with { ReturnedSeen = Math.Min(seen, place.CameBackOr(ulong.MaxValue) - 1) };
        else place = place with { Seen = seen };
        if (turn.Run is not null) place = place with { Run = turn.Run, Offset = stop is { } at ? turn.OffsetOf(at) : turn.NextOffset };
        _places[turn.Lane] = place;
        PieceBytes = stop is null ? Math.Min(PieceBytes * 2, PieceBytesMax) : PieceBytesMin;
    }

    /// <summary>A place in a lane.</summary>
    /// <param name="Seen">Of those that were never taken out, it has seen all up to that sequence.</param>
    /// <param name="ReturnedSeen">Of those that came back likewise.</param>
    /// <param name="CameBack">The lowest that came back during the turn; 0 for none.</param>
    /// <param name="Run">The run in which it stands.</param>
    /// <param name="Offset">Where in it, from its start on.</param>
    private readonly record struct Place(ulong Seen, ulong ReturnedSeen, ulong CameBack, DiskRun? Run, long Offset)
    {
        public ulong CameBackOr(ulong none) => CameBack == 0 ? none : CameBack;
    }
}
