using Harrier.Amqp.Transport;
using Harrier.Broker.Durability;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The confirms of a connection: one basic.ack per channel for all that a sync has covered, unless some of it was refused.</summary>
internal sealed class ConfirmRelease(FrameOutput output, LogSync sync) : SyncedAnswers<(ChannelConfirms Channel, ConfirmRun Run)>(output, sync)
{
    private readonly List<ChannelConfirms> _released = [];

    /// <summary>The channel is closing: nothing more is written to it.</summary>
    public void Forget(ChannelConfirms channel)
    {
        lock (Gate) channel.IsClosed = true;
    }

    protected override void Send(in (ChannelConfirms Channel, ConfirmRun Run) answer) => answer.Channel.Send(Output, answer.Run);

    protected override void Release(in (ChannelConfirms Channel, ConfirmRun Run) answer)
    {
        if (!answer.Channel.HasReleased) _released.Add(answer.Channel);
        answer.Channel.Release(Output, answer.Run);
    }

    protected override void EndRelease()
    {
        foreach (ChannelConfirms channel in _released) channel.SendReleased(Output);
        _released.Clear();
    }
}

/// <summary>What a channel has been told of its publications. Guarded by the connection's <see cref="ConfirmRelease"/>.</summary>
internal sealed class ChannelConfirms(ushort number)
{
    private ulong _sent;
    private ConfirmRun _released;

    public bool IsClosed { get; set; }

    /// <summary>Whether there is something that it is to be told next.</summary>
    public bool HasReleased => _released.Last > _sent;

    /// <summary>Adds to what it is to be told next; it is told at once what was to be answered otherwise.</summary>
    public void Release(FrameOutput output, ConfirmRun run)
    {
        if (HasReleased && _released.IsRefused != run.IsRefused) SendReleased(output);
        _released = run;
    }

    public void SendReleased(FrameOutput output) => Send(output, _released);

    public void Send(FrameOutput output, ConfirmRun run)
    {
        bool isMultiple = run.Last > _sent + 1;
        _sent = run.Last;
        if (IsClosed) return;
        // The flag requeue means nothing to a publisher. It is set by default, and RabbitMQ leaves it so.
        if (run.IsRefused) output.WriteMethod(number, new BasicNack { DeliveryTag = run.Last, Multiple = isMultiple, Requeue = true });
        else output.WriteMethod(number, new BasicAck { DeliveryTag = run.Last, Multiple = isMultiple });
    }
}
