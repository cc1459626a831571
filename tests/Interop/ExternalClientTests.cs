namespace Harrier.Interop.Tests;

// The names are checked in, so that discovery needs no client; each class checks its list against its runner.

public sealed class PikaRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/usr/bin/python3", "pika/run.py");

public sealed class AioPikaRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/usr/bin/python3", "aio_pika/run.py");

public sealed class AmqplibRun(BrokerUnderTest broker) : ExternalClientRun(broker, "node", "amqplib/run.js");

public sealed class AmqpToolsRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/bin/bash", "amqp-tools/run.sh");

public sealed class ProtonRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/usr/bin/python3", "proton/run.py");

public sealed class ProtonCRun(BrokerUnderTest broker) : ExternalClientRun(broker, "/bin/bash", "proton-c/run.sh");

public sealed class RheaRun(BrokerUnderTest broker) : ExternalClientRun(broker, "node", "rhea/run.js");

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

[Collection(InteropCollection.Name)]
public sealed class ProtonTests(ProtonRun run) : IClassFixture<ProtonRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.Proton);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task Proton(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.Proton);
}

[Collection(InteropCollection.Name)]
public sealed class ProtonCTests(ProtonCRun run) : IClassFixture<ProtonCRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.ProtonC);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task ProtonC(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.ProtonC);
}

[Collection(InteropCollection.Name)]
public sealed class RheaTests(RheaRun run) : IClassFixture<RheaRun>
{
    public static TheoryData<string> Scenarios => new(ScenarioNames.Rhea);

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task Rhea(string scenario) => run.ShouldPassAsync(scenario);

    [Fact]
    public async Task The_list_is_complete() => (await run.ListAsync()).ShouldBe(ScenarioNames.Rhea);
}
