using System.Diagnostics;
using System.Globalization;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>How frameworks delay and retry with nothing but exchanges, queues, times to live and dead letters; their delays are shortened here.</summary>
[Collection(InteropCollection.Name)]
public sealed class RetryTopologies(BrokerUnderTest broker)
{
    [Theory]
    [InlineData("classic")]
    [InlineData("quorum")]
    public async Task NServiceBus_delays_by_28_levels(string queueType)
    {
        const int unitMs = 40;
        await using var session = await Session.OpenAsync(broker);
        var (prefix, endpoint) = (Session.Unique("nsb.v2"), Session.Unique("endpoint"));
        var delivery = $"{prefix}.delay-delivery";
        var levels = new DelayLevels(session, bit => $"{prefix}.delay-level-{bit:D2}", delivery, queueType, unitMs);
        await levels.DeclareAsync();
        await session.QueueAsync(endpoint, []);
        await session.ExchangeAsync(ExchangeType.Fanout, endpoint);
        await session.Channel.QueueBindAsync(endpoint, endpoint, "");
        await session.Channel.ExchangeBindAsync(endpoint, delivery, $"#.{endpoint}");
        var inbox = await session.ConsumeAsync(endpoint, autoAck: true);

        var age = Stopwatch.StartNew();
        foreach (var delay in new[] { 5, 2, 0 })
        {
            var first = delay == 0 ? 0 : (int)Math.Log2(delay);
            await session.PublishAsync($"{prefix}.delay-level-{first:D2}", DelayLevels.KeyFor(delay, endpoint), $"{delay}", Persistent());
        }

        await inbox.ShouldGetAsync(3);
        age.ElapsedMilliseconds.ShouldBeGreaterThanOrEqualTo((5 * unitMs) - 5);
        inbox.Deliveries.ShouldAllBe(message => message.RoutingKey == DelayLevels.KeyFor(int.Parse(message.Body, CultureInfo.InvariantCulture), endpoint));
        string Level(int bit) => $"{prefix}.delay-level-{bit:D2}";
        ShouldHaveWaited("0", Level(0));
        ShouldHaveWaited("2", Level(0), Level(1));
        ShouldHaveWaited("5", delivery, Level(0), Level(2));

        // The exchange is the one that the last queue dead-lettered to: a message keeps it on its way through bindings of exchanges.
        void ShouldHaveWaited(string body, string exchange, params string[] queues)
        {
            var message = inbox.Deliveries.Single(message => message.Body == body);
            message.Exchange.ShouldBe(exchange);
            Deaths.Of(message.Properties).Select(death => (death.Queue, death.Reason)).ShouldBe(queues.Select(queue => (queue, "expired")));
            if (queues.Length > 0) Deaths.First(message.Properties).ShouldBe(("expired", queues[^1], queues[^1]));
        }
    }

    [Fact]
    public async Task The_longest_delay_of_NServiceBus_waits_in_its_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var prefix = Session.Unique("nsb.v2");
        await new DelayLevels(session, bit => $"{prefix}.delay-level-{bit:D2}", $"{prefix}.delay-delivery", "classic", unitMs: 1000).DeclareAsync();
        await session.PublishAsync($"{prefix}.delay-level-27", DelayLevels.KeyFor((1 << 28) - 1, "endpoint"), "x", Persistent());
        await session.ShouldBecomeReadyAsync($"{prefix}.delay-level-27", 1);
    }

    [Fact]
    public async Task Celery_delays_a_task_with_a_countdown_and_once_more_when_it_is_retried()
    {
        const int unitMs = 30;
        await using var session = await Session.OpenAsync(broker);
        var prefix = Session.Unique("celery");
        var delivery = $"{prefix}_delivery";
        await new DelayLevels(session, bit => $"{prefix}_delayed_{bit}", delivery, "quorum", unitMs).DeclareAsync();
        var tasks = await session.ExchangeAsync(ExchangeType.Topic);
        var queue = await session.QuorumQueueAsync();
        await session.Channel.QueueBindAsync(queue, tasks, "tasks");

        // Celery binds the queue's exchange behind the delays, and the queue once more with any prefix before its key.
        await session.Channel.ExchangeBindAsync(tasks, delivery, "#.tasks");
        await session.Channel.QueueBindAsync(queue, tasks, "#.tasks");
        var worker = await session.ConsumeAsync(queue);

        await session.PublishAsync(tasks, "tasks", "at once", Persistent());
        await worker.ShouldGetAsync(1);
        var age = Stopwatch.StartNew();
        await session.PublishAsync($"{prefix}_delayed_27", DelayLevels.KeyFor(3, "tasks"), "countdown", Persistent());
        await worker.ShouldGetAsync(2);
        age.ElapsedMilliseconds.ShouldBeGreaterThanOrEqualTo((3 * unitMs) - 5);

        // A retry is a new message with the headers of the old one, deaths included; its rejected predecessor is acknowledged.
        var retried = worker.Deliveries[1];
        await session.PublishAsync($"{prefix}_delayed_27", DelayLevels.KeyFor(4, "tasks"), "retry", Persistent());
        await session.Channel.BasicAckAsync(retried.Tag, multiple: false);
        await worker.ShouldGetAsync(3);
        worker.Bodies.ShouldBe(["at once", "countdown", "retry"]);
        Deaths.Of(worker.Deliveries[2].Properties).Select(death => death.Queue).ShouldBe([$"{prefix}_delayed_2"]);
    }

    [Fact]
    public async Task MassTransit_moves_faults_and_what_nobody_consumes_beside_the_queue()
    {
        await using var session = await Session.OpenAsync(broker);
        var (endpoint, message) = (Session.Unique("endpoint"), await session.ExchangeAsync(ExchangeType.Fanout));
        foreach (var name in new[] { endpoint, $"{endpoint}_error", $"{endpoint}_skipped" })
        {
            await session.ExchangeAsync(ExchangeType.Fanout, name);
            await session.QueueAsync(name, []);
            await session.Channel.QueueBindAsync(name, name, "");
        }

        await session.Channel.ExchangeBindAsync(endpoint, message, "");
        var inbox = await session.ConsumeAsync(endpoint);
        await session.PublishAsync(message, "", "faulty", Persistent());
        await session.PublishAsync(message, "", "unknown", Persistent());
        await inbox.ShouldGetAsync(2);
        foreach (var (delivery, target, reason) in new[] { (inbox.Deliveries[0], "_error", "fault"), (inbox.Deliveries[1], "_skipped", "dead-letter") })
        {
            var moved = Persistent();
            moved.Headers = new Dictionary<string, object?> { ["MT-Reason"] = reason };
            await session.PublishAsync(endpoint + target, "", delivery.Body, moved);
            await session.Channel.BasicAckAsync(delivery.Tag, multiple: false);
        }

        var (error, skipped) = (await session.GetAsync($"{endpoint}_error"), await session.GetAsync($"{endpoint}_skipped"));
        (error.Text(), Deaths.Text(error.BasicProperties, "MT-Reason")).ShouldBe(("faulty", "fault"));
        (skipped.Text(), Deaths.Text(skipped.BasicProperties, "MT-Reason")).ShouldBe(("unknown", "dead-letter"));
        (await session.Channel.MessageCountAsync(endpoint)).ShouldBe(0u);
    }

    [Fact]
    public async Task MassTransit_redelivers_later_through_a_queue_that_goes_when_it_is_idle()
    {
        await using var session = await Session.OpenAsync(broker);
        var (endpoint, delay) = (Session.Unique("endpoint"), Session.Unique("endpoint_delay"));
        await session.ExchangeAsync(ExchangeType.Fanout, endpoint);
        await session.QueueAsync(endpoint, []);
        await session.Channel.QueueBindAsync(endpoint, endpoint, "");
        var inbox = await session.ConsumeAsync(endpoint);
        await session.PublishAsync(endpoint, "", "x", Redelivery(0));
        for (var count = 1; count <= 3; count++)
        {
            await inbox.ShouldGetAsync(count);
            Deaths.Header(inbox.Deliveries[^1].Properties, "MT-Redelivery-Count").ShouldBe(count - 1);
            if (count < 3)
            {
                await session.QueueAsync(delay, Arguments.DeadLetters(endpoint).And("x-message-ttl", 50).And("x-expires", 200)); // begins its lease again
                await session.SendAsync(delay, "x", Redelivery(count));
            }

            await session.Channel.BasicAckAsync(inbox.Deliveries[^1].Tag, multiple: false);
        }

        await session.ShouldGoAsync(delay);
    }

    [Fact]
    public async Task A_worker_retries_with_growing_delays_and_parks_what_never_works()
    {
        await using var session = await Session.OpenAsync(broker);
        var (retry, work, parked) = (await session.ExchangeAsync(ExchangeType.Direct), Session.Unique("work"), await session.QueueAsync());
        await session.QueueAsync(work, Arguments.DeadLetters(retry, "1"));
        foreach (var (key, delayMs) in new[] { ("1", 20), ("2", 40) })
        {
            var wait = await session.QueueAsync(Arguments.DeadLettersTo(work).And("x-message-ttl", delayMs));
            await session.Channel.QueueBindAsync(wait, retry, key);
        }

        var worker = await session.ConsumeAsync(work);
        await session.SendAsync(work, "x", Persistent());
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await worker.ShouldGetAsync(attempt);
            var delivery = worker.Deliveries[^1];
            var rejections = Deaths.Of(delivery.Properties).Where(death => death.Queue == work).Sum(death => death.Count);
            if (attempt == 1)
            {
                rejections.ShouldBe(0);
                await session.Channel.BasicRejectAsync(delivery.Tag, requeue: false);
                continue;
            }

            // From now on the worker chooses the delay. It counts by itself: since 4.0 RabbitMQ starts a new x-death for what a client publishes.
            if (attempt == 2) rejections.ShouldBe(1);
            else Deaths.Header(delivery.Properties, "attempts").ShouldBe(2);
            var properties = Persistent();
            properties.Headers = new Dictionary<string, object?> { ["attempts"] = attempt };
            await session.PublishAsync(attempt == 2 ? retry : "", attempt == 2 ? "2" : parked, delivery.Body, properties);
            await session.Channel.BasicAckAsync(delivery.Tag, multiple: false);
        }

        var message = await session.GetAsync(parked);
        (message.Text(), Deaths.Header(message.BasicProperties, "attempts")).ShouldBe(("x", 3));
        (await session.Channel.MessageCountAsync(work)).ShouldBe(0u);
    }

    private static BasicProperties Persistent() => new() { Persistent = true };

    private static BasicProperties Redelivery(int count) => new() { Persistent = true, Headers = new Dictionary<string, object?> { ["MT-Redelivery-Count"] = count } };
}
