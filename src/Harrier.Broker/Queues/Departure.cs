using Harrier.Broker.Messages;

namespace Harrier.Broker.Queues;

/// <summary>
/// A message on its way from a queue to where the queue sends it. Until it is there it stays the queue's, neither ready nor unacked, so that a crash in between
/// loses nothing. Carries a reference to the message.
/// </summary>
/// <param name="Queue">Where it stands.</param>
/// <param name="Sequence">Its place there; 0 when the queue did not take it at all.</param>
/// <param name="Message">The message as it was in the queue.</param>
/// <param name="Reason">Why it died; null when it did not: its delay is over.</param>
public readonly record struct Departure(Queue Queue, ulong Sequence, Message Message, DeathReason? Reason);
