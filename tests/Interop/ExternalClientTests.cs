namespace Harrier.Interop.Tests;

// The names are checked in, so that discovery needs no client; each class checks its list against its runner.

public sealed class PikaRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/usr/bin/python3", "pika/run.py");

public sealed class AioPikaRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/usr/bin/python3", "aio_pika/run.py");

public sealed class AmqplibRun(BrokerUnderTest broker) : ExternalClientRun(broker, "node", "amqplib/run.js");

public sealed class AmqpToolsRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/bin/bash", "amqp-tools/run.sh");

[Collection(InteropCollection.Name)]
public sealed class PikaTests(PikaRun run) : IClassFixture<PikaRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.Pika);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task Pika(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.Pika);
}

[Collection(InteropCollection.Name)]
public sealed class AioPikaTests(AioPikaRun run) : IClassFixture<AioPikaRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.AioPika);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task AioPika(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.AioPika);
}

[Collection(InteropCollection.Name)]
public sealed class AmqplibTests(AmqplibRun run) : IClassFixture<AmqplibRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.Amqplib);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task Amqplib(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.Amqplib);
}

[Collection(InteropCollection.Name)]
public sealed class AmqpToolsTests(AmqpToolsRun run) : IClassFixture<AmqpToolsRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.AmqpTools);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task AmqpTools(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.AmqpTools);
}
