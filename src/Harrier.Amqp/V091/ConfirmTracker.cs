using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V091;

/// <summary>
/// The publisher confirms that one channel owes (behaviour notes 64 to 70): numbers publications, counts the queues that have yet to answer for each, and
/// tells up to where all are answered. Answers come from any thread.
/// </summary>
internal sealed class ConfirmTracker : IPublishSink
{
    private readonly Lock _gate = new();
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
            if (--_waitingFor[Index(number)] == 0 && number == _oldest) MoveOldest();
        }
    }

    /// <summary>The last number of those that are answered; false when it is the same as the last time.</summary>
    public bool TryTakeAnswered(out ulong upTo)
    {
        lock (_gate)
        {
            upTo = _oldest - 1;
            bool any = upTo > _taken;
            _taken = upTo;
            return any;
        }
    }

    private void MoveOldest()
    {
        while (_oldest < _next && _waitingFor[Index(_oldest)] == 0) _oldest++;
    }

    private void Grow()
    {
        int[] larger = new int[_waitingFor.Length * 2];
        for (ulong number = _oldest; number < _next; number++) larger[number & (ulong)(larger.Length - 1)] = _waitingFor[Index(number)];
        _waitingFor = larger;
    }

    private int Index(ulong number) => (int)(number & (ulong)(_waitingFor.Length - 1));
}
