using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>The texts of refused declarations: frameworks show them, and some look for parts of them.</summary>
[Collection(InteropCollection.Name)]
public sealed class QueueArguments(BrokerUnderTest broker)
{
    [Theory]
    [InlineData("x-expires", 0, "{value_zero,0}")]
    [InlineData("x-expires", -1, "{value_negative,-1}")]
    [InlineData("x-expires", 315360000001, "{value_too_large,315360000001}")]
    [InlineData("x-message-ttl", -1, "{value_negative,-1}")]
    [InlineData("x-message-ttl", 315360000001, "{value_too_large,315360000001}")]
    [InlineData("x-max-length", -1, "{value_negative,-1}")]
    [InlineData("x-max-length-bytes", -5, "{value_negative,-5}")]
    [InlineData("x-max-priority", 256, "{max_value_exceeded,256}")]
    [InlineData("x-max-priority", -1, "{value_negative,-1}")]
    [InlineData("x-overflow", "drop-tail", "invalid_overflow")]
    [InlineData("x-single-active-consumer", "true", "{unacceptable_type,longstr}")]
    public async Task A_wrong_value_is_told(string argument, object value, string detail)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = Session.Unique("queue");
        await session.ShouldRefuseAsync(
            406,
            $"PRECONDITION_FAILED - invalid arg '{argument}' for queue '{queue}' in vhost '{session.VirtualHost}': {detail}",
            channel => DeclareAsync(channel, queue, Arguments.Of(argument, value)));
    }

    [Theory]
    [InlineData("x-expires")]
    [InlineData("x-message-ttl")]
    [InlineData("x-max-length")]
    [InlineData("x-max-length-bytes")]
    [InlineData("x-max-priority")]
    [InlineData("x-overflow")]
    [InlineData("x-single-active-consumer")]
    [InlineData("x-dead-letter-exchange")]
    [InlineData("x-dead-letter-routing-key")]
    public async Task A_value_of_a_wrong_type_is_told(string argument)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = Session.Unique("queue");
        var text = await session.ShouldRefuseAsync(406, channel => DeclareAsync(channel, queue, Arguments.Of(argument, 1.5)));
        text.ShouldStartWith("PRECONDITION_FAILED - invalid ");
        text.ShouldContain($"arg '{argument}'");
    }

    [Theory]
    [InlineData("x-expires", 315360000000)]
    [InlineData("x-message-ttl", 134217728000)]
    [InlineData("x-message-ttl", (byte)0)]
    [InlineData("x-max-length", (short)7)]
    [InlineData("x-max-priority", 255)]
    [InlineData("x-overflow", "reject-publish-dlx")]
    [InlineData("x-unknown-to-all", 1.5)]
    public async Task A_right_value_is_accepted_again_and_again(string argument, object value)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of(argument, value));
        await DeclareAsync(session.Channel, queue, Arguments.Of(argument, value));
    }

    [Fact]
    public async Task A_key_for_dead_letters_needs_their_exchange()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = Session.Unique("queue");
        await session.ShouldRefuseAsync(
            406,
            $"PRECONDITION_FAILED - invalid arg 'x-dead-letter-routing-key' for queue '{queue}' in vhost '{session.VirtualHost}': routing_key_but_no_dlx_defined",
            channel => DeclareAsync(channel, queue, Arguments.Of("x-dead-letter-routing-key", "key")));
    }

    [Theory]
    [InlineData("x-message-ttl", 100, 200, "received '200' but current is '100'")]
    [InlineData("x-max-length", 1, null, "received none but current is the value '1' of type 'signedint'")]
    [InlineData("x-max-priority", null, 5, "received the value '5' of type 'signedint' but current is none")]
    [InlineData("x-expires", 60_000, 70_000L, "received '70000' but current is '60000'")]
    [InlineData("x-dead-letter-exchange", "a", "b", "received 'b' but current is 'a'")]
    [InlineData("x-max-length", 5, "5", "received '5' but current is '5'")]
    [InlineData("x-overflow", "drop-head", null, "received none but current is the value 'drop-head' of type 'longstr'")]
    [InlineData("x-single-active-consumer", true, null, "received none but current is the value 'true' of type 'bool'")]
    public async Task A_declaration_that_differs_is_told(string argument, object? current, object? received, string difference)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(current is null ? [] : Arguments.Of(argument, current));
        var text = await session.ShouldRefuseAsync(406, channel => DeclareAsync(channel, queue, received is null ? [] : Arguments.Of(argument, received)));
        text.ShouldBe($"PRECONDITION_FAILED - inequivalent arg '{argument}' for queue '{queue}' in vhost '{session.VirtualHost}': {difference}");
    }

    [Fact]
    public async Task The_width_of_a_number_makes_no_difference()
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = await session.QueueAsync(Arguments.Of("x-max-length", 100));
        foreach (var value in new object[] { (byte)100, (short)100, 100L }) await DeclareAsync(session.Channel, queue, Arguments.Of("x-max-length", value));
    }

    [Theory]
    [InlineData("durable", "received 'true' but current is 'false'")]
    [InlineData("auto_delete", "received 'true' but current is 'false'")]
    public async Task A_property_that_differs_is_told(string property, string difference)
    {
        await using var session = await Session.OpenAsync(broker);
        var queue = Session.Unique("queue");
        await session.Channel.QueueDeclareAsync(queue, durable: false, exclusive: false, autoDelete: false);
        await session.ShouldRefuseAsync(
            406,
            $"PRECONDITION_FAILED - inequivalent arg '{property}' for queue '{queue}' in vhost '{session.VirtualHost}': {difference}",
            channel => channel.QueueDeclareAsync(queue, durable: property == "durable", exclusive: false, autoDelete: property == "auto_delete"));
        await session.Channel.QueueDeleteAsync(queue);
    }

    [Theory]
    [InlineData("x-max-priority", 5)]
    [InlineData("x-queue-mode", "lazy")]
    public async Task A_quorum_queue_does_not_take_every_argument(string argument, object value)
    {
        await using var session = await Session.OpenAsync(broker);
        var text = await session.ShouldRefuseAsync(
            406,
            channel => channel.QueueDeclareAsync(
                Session.Unique("queue"), durable: true, exclusive: false, autoDelete: false, Arguments.Of(argument, value).And("x-queue-type", "quorum")));
        text.ShouldStartWith($"PRECONDITION_FAILED - invalid arg '{argument}' for queue 'interop.queue.");
        text.ShouldEndWith("of queue type rabbit_quorum_queue");
    }

    [Fact]
    public async Task A_quorum_queue_is_durable_and_shared()
    {
        await using var session = await Session.OpenAsync(broker);
        var quorum = Arguments.Of("x-queue-type", "quorum");
        var queue = Session.Unique("queue");
        string Invalid(string property) => $"PRECONDITION_FAILED - invalid property '{property}' for queue '{queue}' in vhost '{session.VirtualHost}'";
        await session.ShouldRefuseAsync(406, Invalid("non-durable"), channel => channel.QueueDeclareAsync(queue, false, false, false, quorum));
        await session.ShouldRefuseAsync(406, Invalid("exclusive-owner"), channel => channel.QueueDeclareAsync(queue, true, true, false, quorum));
        await session.ShouldRefuseAsync(406, Invalid("auto-delete"), channel => channel.QueueDeclareAsync(queue, true, false, true, quorum));
    }

    private static Task<QueueDeclareOk> DeclareAsync(IChannel channel, string queue, Dictionary<string, object?> arguments) =>
        channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: false, arguments);
}
