namespace Harrier.Broker.Messages;

/// <summary>
/// A message as it was received: routing information, the property section's bytes untouched, and the body, one after the other in one pooled buffer.
/// Counted references: whoever holds one calls <see cref="Release"/> once; the last gives message and buffer back to the pool. Filled by one
/// task, immutable from its publication on.
/// </summary>
/// <remarks><code>
///   0          exchange      + routing key      + properties        + body
///   +----------+-------------+------------------+-------------------+
///   | exchange | routing key | properties       | body              |
///   +----------+-------------+------------------+-------------------+
/// </code></remarks>
public sealed class Message
{
    // The object, its buffer's header, and its entry in a queue.
    private const int ObjectBytes = 144;

    private byte[] _buffer;
    private int _routingKeyAt;
    private int _propertiesAt;
    private int _bodyAt;
    private int _end;
    private int _references;

    internal Message(byte[] buffer, int sizeClass)
    {
        _buffer = buffer;
        SizeClass = sizeClass;
    }

    /// <summary>Where the pool keeps it; -1 for a buffer too large to pool.</summary>
    internal int SizeClass { get; private set; }

    internal int Capacity => _buffer.Length;

    /// <summary>Reads the property section.</summary>
    public IMessageFormat Format { get; private set; } = null!;

    /// <summary>Whether the publisher asked for it to survive a restart (0-9-1 delivery-mode 2).</summary>
    public bool IsPersistent { get; set; }

    /// <summary>Whether the deaths that it names were written by a broker, and not by its publisher.</summary>
    public bool HasDeaths { get; set; }

    /// <summary>When it arrived, in milliseconds since 1970.</summary>
    public long ArrivedAtMs { get; set; }

    /// <summary>When its own time to live ends (0-9-1 expiration); 0 for never.</summary>
    public long ExpiresAtMs { get; set; }

    /// <summary>When the exchange that delays it is to let it go; 0 for at once.</summary>
    public long DueAtMs { get; set; }

    /// <summary>The priority that its publisher asked for, or null.</summary>
    public byte? Priority { get; set; }

    /// <summary>Further routing keys, or null: 0-9-1's CC and BCC headers (behaviour note 47).</summary>
    public Utf8Name[]? ExtraRoutingKeys { get; set; }

    public Utf8Name Exchange => new(_buffer, 0, _routingKeyAt);

    public Utf8Name RoutingKey => new(_buffer, _routingKeyAt, _propertiesAt - _routingKeyAt);

    public ReadOnlySpan<byte> ExchangeBytes => _buffer.AsSpan(0, _routingKeyAt);

    public ReadOnlySpan<byte> RoutingKeyBytes => _buffer.AsSpan(_routingKeyAt, _propertiesAt - _routingKeyAt);

    /// <summary>The property section exactly as received (behaviour note 75).</summary>
    public ReadOnlySpan<byte> Properties => _buffer.AsSpan(_propertiesAt, _bodyAt - _propertiesAt);

    public ReadOnlySpan<byte> Body => _buffer.AsSpan(_bodyAt, _end - _bodyAt);

    public int BodySize => _end - _bodyAt;

    /// <summary>Bytes of everything it carries.</summary>
    public int Size => _end;

    /// <summary>Bytes of memory that it keeps, about.</summary>
    public int Footprint => _buffer.Length + ObjectBytes;

    /// <summary>Everything it carries, one after the other.</summary>
    internal ReadOnlySpan<byte> Content => _buffer.AsSpan(0, _end);

    /// <summary>Rents a message with an empty body and one reference, the caller's.</summary>
    /// <param name="format">Reads the property section.</param>
    /// <param name="exchange">At most <see cref="Utf8Name.SizeMax"/> bytes.</param>
    /// <param name="routingKey">At most <see cref="Utf8Name.SizeMax"/> bytes.</param>
    /// <param name="properties">The property section.</param>
    /// <param name="bodyCapacity">Bytes of body to make room for at once; <see cref="AppendBody"/> grows beyond it.</param>
    public static Message Rent(
        IMessageFormat format, ReadOnlySpan<byte> exchange, ReadOnlySpan<byte> routingKey, ReadOnlySpan<byte> properties, int bodyCapacity)
    {
        Message message = MessagePool.Rent(exchange.Length + routingKey.Length + properties.Length + bodyCapacity);
        message.Format = format;
        message._references = 1;
        message._routingKeyAt = exchange.Length;
        message._propertiesAt = exchange.Length + routingKey.Length;
        message._bodyAt = message._end = message._propertiesAt + properties.Length;
        exchange.CopyTo(message._buffer);
        routingKey.CopyTo(message._buffer.AsSpan(message._routingKeyAt));
        properties.CopyTo(message._buffer.AsSpan(message._propertiesAt));
        return message;
    }

    /// <summary>
    /// Adds to the body. Beyond the capacity the buffer grows by a third (and to the next size of the pool, at most half as much again), but never to
    /// more than the whole body will need: a peer that announces much and sends little holds no more than twice what it sent.
    /// </summary>
    public void AppendBody(ReadOnlySpan<byte> bytes, int bodySizeFinal)
    {
        int needed = _end + bytes.Length;
        if (needed > _buffer.Length) Grow(Math.Max(needed, Math.Min(needed * 4L / 3, _bodyAt + (long)bodySizeFinal)));
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end = needed;
    }

    /// <summary>This message under another address or with another property section: one more message, with one reference, the caller's.</summary>
    public Message Copy(ReadOnlySpan<byte> exchange, ReadOnlySpan<byte> routingKey, ReadOnlySpan<byte> properties)
    {
        Message copy = Rent(Format, exchange, routingKey, properties, BodySize);
        copy.AppendBody(Body, BodySize);
        copy.TakeAfter(this);
        return copy;
    }

    /// <summary>What the broker noted of another message, its address and content aside, holds for this one too. Before anybody else has it.</summary>
    public void TakeAfter(Message other)
    {
        IsPersistent = other.IsPersistent;
        HasDeaths = other.HasDeaths;
        ArrivedAtMs = other.ArrivedAtMs;
        ExpiresAtMs = other.ExpiresAtMs;
        DueAtMs = other.DueAtMs;
        Priority = other.Priority;
        ExtraRoutingKeys = other.ExtraRoutingKeys;
    }

    /// <summary>Notes that it arrives only now: its time to live begins anew. Before anybody else has it.</summary>
    public void ArriveAt(long nowMs)
    {
        if (ExpiresAtMs != 0) ExpiresAtMs += nowMs - ArrivedAtMs;
        ArrivedAtMs = nowMs;
    }

    /// <summary>Counts further holders.</summary>
    public void AddReferences(int count) => Interlocked.Add(ref _references, count);

    /// <summary>Gives up one reference.</summary>
    public void Release()
    {
        // The only holder needs no interlocked operation: nobody else can add a reference.
        int left = Volatile.Read(ref _references) == 1 ? _references = 0 : Interlocked.Decrement(ref _references);
        if (left > 0) return;
        Invariant.Check(left == 0, "a message is released as often as it was referred to");
        Forget();
        MessagePool.Return(this);
    }

    private void Forget()
    {
        IsPersistent = HasDeaths = false;
        ArrivedAtMs = ExpiresAtMs = DueAtMs = 0;
        Priority = null;
        ExtraRoutingKeys = null;
    }

    private void Grow(long capacity)
    {
        Message larger = MessagePool.Rent((int)capacity);
        _buffer.AsSpan(0, _end).CopyTo(larger._buffer);
        (_buffer, larger._buffer) = (larger._buffer, _buffer);
        (SizeClass, larger.SizeClass) = (larger.SizeClass, SizeClass);
        MessagePool.Return(larger);
    }
}
