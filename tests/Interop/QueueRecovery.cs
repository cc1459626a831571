using System.Text;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>What queues know about their messages outlives a restart with them.</summary>
[Collection(InteropCollection.Name)]
public sealed class QueueRecovery(BrokerUnderTest broker)
{
    private readonly string _graveyard = Session.Unique("graveyard");
    private readonly string _mortal = Session.Unique("mortal");
    private readonly string _ranked = Session.Unique("ranked");
    private readonly string _bounded = Session.Unique("bounded");
    private readonly string _counted = Session.Unique("counted");
    private readonly string _leased = Session.Unique("leased");

    [RestartFact]
    public async Task Times_deaths_priorities_limits_and_counts_outlive_a_restart()
    {
        await using (var before = await Session.OpenAsync(broker))
        {
            await DeclareAsync(before);
            await SendAsync(before);
        }

        await broker.RestartAsync();

        await using var session = await Session.OpenAsync(broker);
        (await session.DrainAsync(_ranked)).ShouldBe(["high", "low 0", "low 1"]);
        (await session.IsConfirmedAsync("", _bounded, "2")).ShouldBeTrue();
        (await session.DrainAsync(_bounded)).ShouldBe(["1", "2"]);
        Deaths.Header((await session.GetAsync(_counted)).BasicProperties, "x-delivery-count").ShouldBe(1L);

        // The first died before the restart, the second may do so after it.
        var rejected = await session.GetAsync(_graveyard);
        (rejected.Text(), Deaths.First(rejected.BasicProperties)).ShouldBe(("rejected", ("rejected", _mortal, "")));
        var expired = await session.GetAsync(_graveyard);
        (expired.Text(), Deaths.First(expired.BasicProperties)).ShouldBe(("expired", ("expired", _mortal, ""))); // 3.10 forgets original-expiration
        (await session.DrainAsync(_mortal)).ShouldBe(["living"]);
        await Eventually.IsTrueAsync(async () => !await session.IsRoutableAsync(_leased), "the unused queue is gone");
        foreach (var queue in new[] { _graveyard, _mortal, _ranked, _bounded, _counted }) await session.Channel.QueueDeleteAsync(queue);
    }

    private async Task DeclareAsync(Session session)
    {
        await DeclareAsync(_graveyard, []);
        await DeclareAsync(_mortal, Arguments.DeadLettersTo(_graveyard));
        await DeclareAsync(_ranked, Arguments.Of("x-max-priority", 5));
        await DeclareAsync(_bounded, Arguments.Of("x-max-length", 2));
        await DeclareAsync(_counted, Arguments.Of("x-queue-type", "quorum").And("x-delivery-limit", 5));
        await DeclareAsync(_leased, Arguments.Of("x-expires", 1500));

        Task DeclareAsync(string queue, Dictionary<string, object?> arguments) =>
            session.Channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments);
    }

    private async Task SendAsync(Session session)
    {
        await using var confirming = await session.NewChannelAsync(Session.WithConfirms);
        await SendAsync(_mortal, "rejected");
        await session.RejectAsync(_mortal);
        await session.ShouldBecomeReadyAsync(_graveyard, 1);
        await SendAsync(_mortal, "expired", new BasicProperties { Expiration = "1500" });
        await SendAsync(_mortal, "living", new BasicProperties { Expiration = "60000" });
        await SendAsync(_ranked, "low 0", new BasicProperties { Priority = 1 });
        await SendAsync(_ranked, "high", new BasicProperties { Priority = 5 });
        await SendAsync(_ranked, "low 1", new BasicProperties { Priority = 1 });
        await SendAsync(_bounded, "0");
        await SendAsync(_bounded, "1");
        await SendAsync(_counted, "x");
        await session.Channel.BasicRejectAsync((await session.GetAsync(_counted, autoAck: false)).DeliveryTag, requeue: true);
        await session.ShouldBecomeReadyAsync(_counted, 1);

        async Task SendAsync(string queue, string body, BasicProperties? properties = null)
        {
            properties ??= new BasicProperties();
            properties.Persistent = true;
            await confirming.BasicPublishAsync("", queue, mandatory: true, properties, Encoding.UTF8.GetBytes(body)).AsTask().InTimeAsync("the confirm");
        }
    }
}
