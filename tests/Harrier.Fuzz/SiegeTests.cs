namespace Harrier.Fuzz;

/// <summary>Many hostile clients on one broker, one after the other and side by side: what one of them leaves behind harms no other.</summary>
public sealed class SiegeTests
{
    private const int RoundCount = 60;
    private const int InputsPerRound = 60;

    [Fact]
    public async Task A_broker_outlives_hostile_clients_that_come_one_by_one()
    {
        using var broker = new BrokerUnderFire();
        var inputs = new HostileInputs(seed: 1);
        for (int i = 0; i < RoundCount * InputsPerRound; i++) await TalkAsync(broker, inputs.Next());
        await WellBehavedClient.AssertServedAsync(broker);
        broker.AssertSound();
    }

    [Fact]
    public async Task A_broker_outlives_hostile_clients_that_come_together()
    {
        for (int round = 0; round < RoundCount; round++)
        {
            using var broker = new BrokerUnderFire();
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => AttackAsync(broker, new HostileInputs(round * 4 + i)))));
            await WellBehavedClient.AssertServedAsync(broker);
            broker.AssertSound();
        }
    }

    private static async Task AttackAsync(BrokerUnderFire broker, HostileInputs inputs)
    {
        for (int i = 0; i < InputsPerRound; i++) await TalkAsync(broker, inputs.Next());
    }

    private static async Task TalkAsync(BrokerUnderFire broker, byte[] input)
    {
        byte[] answers = await broker.TalkAsync([WellBehavedClient.Opening, .. FrameMutator.Split(input)], TimeSpan.Zero, segmentBytes: 0);
        ServerOutput.Check(answers);
    }

    /// <summary>Mutations of the connection's corpus, always the same for a seed.</summary>
    private sealed class HostileInputs(int seed)
    {
        private readonly byte[][] _corpus = [.. FuzzTargets.CorpusFiles("connection").Select(f => FuzzTargets.CorpusInput("connection", f))];
        private readonly Random _random = new(seed);

        public byte[] Next() => FuzzTargets.Mutator("connection").Mutate(Pick(), Pick(), _random)[1..];

        private byte[] Pick() => _corpus[_random.Next(_corpus.Length)];
    }
}
