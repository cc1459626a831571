using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V091;

/// <summary>
/// The publisher confirms that one channel owes (behaviour notes 64 to 70): numbers publications, counts the queues that have yet to answer for each, and
/// tells up to where all are answered, and how. Answers come from any thread.
/// </summary>
internal sealed class ConfirmTracker : IPublishSink
{
    // Stands beside the count of a publication that one of its queues has refused: that is enough for a nack (note 69).
    private const int Refused = int.MinValue;

    private readonly Lock _gate = new();

    // Runs of answered publications before the last one, which ends before the oldest that is not answered. None unless something was refused.
    private readonly Queue<ConfirmRun> _ended = new();
    private bool _isRefusing;

    private int[] _waitingFor = new int[16];
    private ulong _next = 1;
    private ulong _oldest = 1;
    private ulong _taken;

    /// <summary>Numbers a publication that so many queues will answer for; the number is the client's delivery tag.</summary>
    public ulong Begin(int queueCount)
    {
        lock (_gate)
        {
            if (_next - _oldest == (ulong)_waitingFor.Length) Grow();
            _waitingFor[Index(_next)] = queueCount;
            ulong number = _next++;
            if (queueCount == 0) MoveOldest();
            return number;
        }
    }

    public void OnSettled(ulong number, Outcome outcome)
    {
        lock (_gate)
        {
            ref int left = ref _waitingFor[Index(number)];
            left--;
            if (outcome != Outcome.Accepted) left |= Refused;
            if (number == _oldest && IsAnswered(left)) MoveOldest();
        }
    }

    /// <summary>The next publications that are answered alike; false when none are that were not taken yet.</summary>
    public bool TryTakeAnswered(out ConfirmRun run)
    {
        lock (_gate)
        {
            if (!_ended.TryDequeue(out run)) run = new ConfirmRun(_oldest - 1, _isRefusing);
            bool any = run.Last > _taken;
            _taken = run.Last;
            return any;
        }
    }

    private static bool IsAnswered(int left) => (left & ~Refused) == 0;

    private void MoveOldest()
    {
        for (; _oldest < _next; _oldest++)
        {
            int left = _waitingFor[Index(_oldest)];
            if (!IsAnswered(left)) return;
            if (left < 0 != _isRefusing) TurnRun();
        }
    }

    /// <summary>From the oldest on, they are answered otherwise.</summary>
    private void TurnRun()
    {
        if (_oldest - 1 > _taken) _ended.Enqueue(new ConfirmRun(_oldest - 1, _isRefusing));
        _isRefusing = !_isRefusing;
    }

    private void Grow()
    {
        int[] larger = new int[_waitingFor.Length * 2];
        for (ulong number = _oldest; number < _next; number++) larger[number & (ulong)(larger.Length - 1)] = _waitingFor[Index(number)];
        _waitingFor = larger;
    }

    private int Index(ulong number) => (int)(number & (ulong)(_waitingFor.Length - 1));
}
