using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>How a message comes back from a consumer with something added to it: another one takes its place, with all that the queue knows of it.</summary>
public sealed partial class QueueMachine
{
    // Messages that were replaced while a checkpoint writes: it has them as they were.
    private HashSet<ulong>? _replaced;
    private bool _isBeingWritten;

    private QueueEntry Replace(Queue queue, in QueueEntry entry, Message replacement, QueueEffects effects)
    {
        QueueEntry replaced = entry with { Message = replacement, BodySize = replacement.BodySize, Stored = default };
        if (entry.IsLogged) effects.Log!.Replaced(queue, in replaced, entry.BodySize);
        if (_isBeingWritten) (_replaced ??= []).Add(entry.Sequence);
        entry.Release();
        return replaced;
    }

    private void BeginWriting() => (_isBeingWritten, _replaced) = (true, null);

    private void EndWriting() => (_isBeingWritten, _replaced) = (false, null);
}
