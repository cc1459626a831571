using Harrier.Broker.Queues;

namespace Harrier.Amqp.Transport;

/// <summary>Asks a queue to go on with a consumer whose output has room again.</summary>
internal sealed class ConsumerResume(QueueConsumer consumer) : IRoomWaiter
{
    // Its own, for it is not the session's task that resumes; made only for consumers that were ever out of room.
    private readonly Lazy<CommandBatch> _commands = new(() => new CommandBatch(), isThreadSafe: false);

    public void OnRoom()
    {
        lock (_commands)
        {
            _commands.Value.Add(new QueueCommand(QueueCommandKind.Resume, consumer.Queue, Consumer: consumer));
            _commands.Value.Run();
        }
    }
}
