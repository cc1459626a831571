namespace Harrier.Amqp.V091;

/// <summary>Publications of one channel that are answered alike: from the end of the run before it up to a number, all by basic.nack or all by basic.ack.</summary>
internal readonly record struct ConfirmRun(ulong Last, bool IsRefused);
