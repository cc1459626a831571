using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>Says of a message whether whoever asked for the filter wants it. Immutable, for any thread, and without an allocation per message.</summary>
public interface IMessageFilter
{
    /// <summary>Whether the message passes. What cannot be told of it, for it lacks what is asked about, does not.</summary>
    bool Matches(Message message);

    /// <summary>What was asked for, for people to read.</summary>
    string Text { get; }
}
