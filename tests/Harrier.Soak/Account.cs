using System.Collections.Concurrent;

namespace Harrier.Soak;

/// <summary>What publishers and consumers know of every message, to be compared at the end.</summary>
internal sealed class Account
{
    private readonly ConcurrentDictionary<long, bool> _sent = new();
    private readonly ConcurrentDictionary<long, bool> _confirmed = new();
    private readonly ConcurrentDictionary<long, bool> _received = new();
    private readonly ConcurrentDictionary<long, int> _receivedAsNew = new();
    private long _lastId;

    public int ConfirmedCount => _confirmed.Count;

    public int ReceivedCount => _received.Count;

    /// <summary>A message that is about to be sent.</summary>
    public long NewMessage()
    {
        long id = Interlocked.Increment(ref _lastId);
        _sent[id] = true;
        return id;
    }

    public void OnConfirmed(long id) => _confirmed[id] = true;

    public void OnReceived(long id, bool redelivered)
    {
        _received[id] = true;
        if (!redelivered) _receivedAsNew.AddOrUpdate(id, 1, (_, times) => times + 1);
    }

    public bool HasEverythingConfirmed() => _confirmed.Keys.All(_received.ContainsKey);

    /// <summary>
    /// No confirmed message was lost, none was invented, and none came as a new one twice. (Whether a repeat comes second cannot be told: a client whose
    /// socket is gone may work through what it had received after another has got it again.)
    /// </summary>
    public void Check()
    {
        _confirmed.Keys.Where(id => !_received.ContainsKey(id)).ShouldBeEmpty("confirmed and never received");
        _received.Keys.Where(id => !_sent.ContainsKey(id)).ShouldBeEmpty("received and never sent");
        _receivedAsNew.Where(r => r.Value > 1).Select(r => r.Key).ShouldBeEmpty("received twice without the redelivered flag");
        _confirmed.Count.ShouldBeGreaterThan(0);
    }
}
