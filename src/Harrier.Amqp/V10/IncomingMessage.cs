using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Harrier.Amqp.Conversion;
using Harrier.Broker;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10;

/// <summary>
/// A message that comes in one transfer or many: its sections in front of the body are looked at as soon as they are there, the body goes straight to its
/// place. Owned by the connection's task.
/// </summary>
internal sealed class IncomingMessage(ClientSession client, PublishTerminus target, int bytesMax)
{
    private ArrayBufferWriter<byte>? _beginning; // of a message whose body has not begun in its first transfer
    private Message? _message;
    private AmqpException? _refusal;
    private long _size;

    /// <summary>Takes what a transfer carries. Throws when it is no message, too large, or not allowed.</summary>
    public void Append(ReadOnlySpan<byte> payload, bool isLast, long nowMs)
    {
        _size += payload.Length;
        if (_size > bytesMax) throw AmqpErrors.MessageTooLarge((ulong)_size, (ulong)bytesMax);
        if (_message is not null) _message.AppendBody(payload, bytesMax);
        else if (_refusal is null) AppendToBeginning(payload, isLast, nowMs);
        if (isLast && _message?.BodySize > 0) Body10.Check(_message.Body);
    }

    /// <summary>The complete message, aimed, with one reference, the caller's; false when it is refused by itself.</summary>
    public bool TryTake([NotNullWhen(true)] out Message? message, [NotNullWhen(false)] out AmqpException? refusal)
    {
        (message, refusal) = (_message, _refusal);
        _message = null;
        Discard();
        return refusal is null;
    }

    /// <summary>Forgets what has come.</summary>
    public void Discard()
    {
        _message?.Release();
        (_message, _refusal, _beginning, _size) = (null, null, null, 0);
    }

    private void AppendToBeginning(ReadOnlySpan<byte> payload, bool isLast, long nowMs)
    {
        ReadOnlySpan<byte> received = payload;
        if (_beginning is not null)
        {
            _beginning.Write(payload);
            received = _beginning.WrittenSpan;
        }
        var sections = new Sections10(received, Sections10.PrefixSizeMax);
        // The standard wants a body; Proton, Artemis and RabbitMQ do without.
        if (sections.IsBodyFound || (isLast && sections.Size == received.Length)) Begin(in sections, received[sections.Size..], isLast, nowMs);
        else if (isLast) throw new DecodeException("a message ends within its sections");
        else if (_beginning is null)
        {
            _beginning = new ArrayBufferWriter<byte>();
            _beginning.Write(payload);
        }
    }

    // Apart, for what it looks at takes room on the stack that would be cleared for every transfer.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Begin(in Sections10 found, ReadOnlySpan<byte> body, bool isLast, long nowMs)
    {
        found.ValidateMaps();
        PublishSections10 sections = default;
        sections.Take(in found);
        if (!TryAim(in sections)) return;
        if (sections.HasUserId) client.CheckUserId(sections.UserId);
        Utf8Name[]? extraRoutingKeys = sections.ExtraRoutingKeys();
        // From here on nothing is refused.
        ReadOnlySpan<byte> kept = found.HasDeliveryAnnotations ? Sections10.WithoutDeliveryAnnotations(found.Encoded) : found.Encoded;
        _message = Message.Rent(MessageFormat10.Instance, target.ExchangeName, target.RoutingKey, kept, body.Length);
        _message.AppendBody(body, isLast ? body.Length : bytesMax);
        _message.IsPersistent = sections.IsDurable;
        _message.Priority = sections.Priority;
        _message.ArrivedAtMs = nowMs;
        if (sections.TimeToLiveMs is { } lifetimeMs) _message.ExpiresAtMs = nowMs + lifetimeMs;
        _message.ExtraRoutingKeys = extraRoutingKeys;
        _beginning = null;
    }

    private bool TryAim(in PublishSections10 sections)
    {
        ReadOnlySpan<byte> to = target.IsAnonymous ? sections.To : default;
        if (target.IsAnonymous && to.IsEmpty)
        {
            _refusal = AmqpErrors.NoAddress();
            return false;
        }
        try
        {
            target.Aim(to, sections.Subject);
            return true;
        }
        catch (AmqpException e) when (target.IsAnonymous)
        {
            _refusal = e;
        }
        catch (BrokerException e) when (target.IsAnonymous)
        {
            _refusal = AmqpErrors.From(e, AmqpErrorScope.Link);
        }
        return false;
    }
}
