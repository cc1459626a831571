using Harrier.TestSupport;
using Shouldly;
using Xunit.Sdk;

namespace Harrier.Simulation.ExactlyOnce;

/// <summary>A sender, a broker and a receiver, until every message is where it belongs, whatever happens.</summary>
internal sealed class MessageExchange
{
    private readonly TroublePlan _plan;
    private readonly ModelSender _sender;
    private readonly ModelReceiver _receiver;

    private MessageExchange(int seed, TroublePlan plan)
    {
        _plan = plan;
        Broker = new TroubledBroker(seed, plan);
        _sender = plan.TransactionSize > 0 ? new TransactionalSender(Broker, plan) : new ModelSender(Broker, plan);
        _receiver = new ModelReceiver(Broker, plan, _sender);
    }

    public TroubledBroker Broker { get; }

    /// <summary>The numbers of messages as they were processed.</summary>
    public IReadOnlyList<uint> Processed => _receiver.Processed;

    /// <summary>Runs an exchange, and tells how to run it again if it fails.</summary>
    public static async Task<MessageExchange> RunAsync(int seed, TroublePlan plan)
    {
        MessageExchange? exchange = null;
        try
        {
            exchange = new MessageExchange(seed, plan);
            await exchange.RunAsync();
            return exchange;
        }
        catch (Exception e)
        {
            if (exchange is not null && TroubledBroker.TraceFile is { } file) await File.WriteAllLinesAsync(file, exchange.Broker.Trace);
            throw new XunitException($"ONCE_SEED={seed}, {plan}: {e.GetType().Name} {e.Message}", e);
        }
    }

    private async Task RunAsync()
    {
        while (!_sender.IsDone || !_receiver.IsDone)
        {
            ModelClient next = Next();
            await MeetTroubleAsync(next, async () =>
            {
                if (_plan.CheckpointChance > 0 && Broker.Random.NextDouble() < _plan.CheckpointChance) Broker.Checkpoint();
                await next.StepAsync();
            });
        }
        if (Broker.Starts == 1) Broker.CountDisk();
        Processed.Order().ShouldBe(Enumerable.Range(0, _plan.MessageCount).Select(n => (uint)n));
        Broker.Queue.ReadyCount.ShouldBe(0);
        Broker.Queue.UnackedCount.ShouldBe(0);
        Broker.Termini.ShouldAllBe(terminus => terminus.ReadyCount + terminus.UnackedCount == 0);
        foreach (ModelClient client in (ModelClient[])[_sender, _receiver])
        {
            bool isClosed = false;
            while (!isClosed)
            {
                await MeetTroubleAsync(client, async () =>
                {
                    await client.CloseAsync();
                    isClosed = true;
                });
            }
        }
        Broker.Termini.ShouldBeEmpty();
        Broker.End();
    }

    private async Task MeetTroubleAsync(ModelClient client, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (ConnectionLostException)
        {
            client.Lose();
        }
        catch (SimulatedCrashException)
        {
            _sender.Lose();
            _receiver.Lose();
            Broker.Restart();
        }
    }

    private ModelClient Next()
    {
        if (_sender.IsDone) return _receiver;
        if (!_receiver.HasWork) return _sender;
        return _plan.IsRandom && Broker.Random.Next(2) == 0 ? _sender : _receiver;
    }
}
