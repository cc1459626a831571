using Harrier.Broker.Messages;
using Harrier.Broker.Routing;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public sealed class ExtraKeyTests
{
    [Theory]
    [InlineData(ExchangeType.Direct, true)]
    [InlineData(ExchangeType.Topic, true)]
    [InlineData(ExchangeType.Fanout, false)]
    [InlineData(ExchangeType.Headers, false)]
    [InlineData(ExchangeType.ConsistentHash, false)]
    [InlineData(ExchangeType.ModulusHash, false)]
    [InlineData(ExchangeType.Random, false)]
    [InlineData(ExchangeType.LocalRandom, false)]
    public void Only_exchanges_that_look_at_the_key_are_asked_once_per_key(ExchangeType type, bool expected) =>
        Exchange.Create("x", type, durable: true, autoDelete: false, isInternal: false, ArgumentTable.Empty).Bindings.MatchesByKey.ShouldBe(expected);
}
