using Harrier.Amqp.Conversion;
using Harrier.Amqp.Transport;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Sessions;

namespace Harrier.Amqp.V10;

/// <summary>Ends deliveries whose receiver has annotated the message (1.0 part 3, section 3.4.5): what goes back to the queue is the message with its annotations.</summary>
internal static class AnnotatedSettlement
{
    /// <summary>Settles at once, with the batch, or when the message has been read that is on disk only: ends then.</summary>
    public static Task Settle(CommandBatch commands, in Settling<OutgoingLink10> settling, Outcome outcome, byte[] annotations)
    {
        var command = new QueueCommand(QueueCommandKind.Settle, settling.Owner.Queue, Delivery: settling.Id, Outcome: outcome);
        Task<Message?> read = new HeldDelivery(Sequence: 0, settling.Id, AcquiredCount: 0, DeliveryCount: 0).ReadAsync(command.Queue);
        if (!read.IsCompletedSuccessfully) return SettleLaterAsync(read, command, annotations);
        commands.Add(command with { Message = Annotate(read.Result, annotations) });
        return Task.CompletedTask;
    }

    private static async Task SettleLaterAsync(Task<Message?> read, QueueCommand command, byte[] annotations)
    {
        await Task.WhenAny(read); // what cannot be read goes back as it is, and who reads it next tells of the damage
        if (read.IsCompletedSuccessfully) command = command with { Message = Annotate(read.Result, annotations) };
        var commands = new CommandBatch(); // the session's is its task's
        commands.Add(in command);
        commands.Run();
    }

    private static Message? Annotate(Message? message, byte[] annotations)
    {
        Message? annotated = message is null ? null : ReceiverAnnotations.Merge(message, annotations);
        message?.Release();
        return annotated;
    }
}
