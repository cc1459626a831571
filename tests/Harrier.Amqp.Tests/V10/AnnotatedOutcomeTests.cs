using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>Receivers that add to the annotations of a message which they give back (1.0 part 3, section 3.4.5; behaviour note 111).</summary>
public class AnnotatedOutcomeTests
{
    [Fact]
    public async Task Annotations_are_there_when_the_message_comes_again()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(messageCount: 0);
        byte[] message = new Message10().MessageAnnotations(("x-own", Encoded10.String("a")), ("x-other", Encoded10.String("b"))).Data("m").Bytes;
        await client.ExpectDisposition("accepted", await client.Transfer(message));
        await client.Grant(1);
        WireDelivery10 first = await client.ExpectDelivery();
        await client.Settle(first.DeliveryId, Modified(deliveryFailed: true, ("x-own", Encoded10.String("changed")), ("x-opt-why", Encoded10.String("no disk"))));
        await client.Grant(1);
        WireDelivery10 second = await client.ExpectDelivery();
        (second.Text, second.DeliveryCount, second.FirstAcquirer).ShouldBe(("m", 1U, false));
        (second.Annotations["x-own"], second.Annotations["x-other"], second.Annotations["x-opt-why"]).ShouldBe(("changed", "b", "no disk"));
        second.Bare.ShouldBe(first.Bare);
        await client.Settle(second.DeliveryId, Modified(deliveryFailed: false, ("x-opt-why", Encoded10.String("no time"))));
        await client.Grant(1);
        (await client.ExpectDelivery()).Annotations["x-opt-why"].ShouldBe("no time");
    }

    [Fact]
    public async Task Message_without_annotations_gets_some()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(messageCount: 2);
        await client.Grant(2);
        WireDelivery10 first = await client.ExpectDelivery(), second = await client.ExpectDelivery();
        await client.Settle(first.DeliveryId, Modified(deliveryFailed: true, ("x-a", Encoded10.String("1"))), second.DeliveryId);
        await client.Grant(2);
        for (int i = 0; i < 2; i++)
        {
            WireDelivery10 again = await client.ExpectDelivery();
            (again.Text, again.Annotations["x-a"]).ShouldBe(($"{i}", "1"));
        }
    }

    [Theory]
    [InlineData("y")]
    [InlineData("")]
    [InlineData("x-opt-deaths")]
    [InlineData("x-first-death-queue")]
    [InlineData("x-last-death-reason")]
    [InlineData("x-exchange")]
    [InlineData("x-routing-key")]
    [InlineData("x-cc")]
    public async Task Key_of_another_kind_costs_the_link_and_not_the_message(string key)
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(messageCount: 1);
        await client.Grant(1);
        WireDelivery10 delivery = await client.ExpectDelivery();
        await client.Settle(delivery.DeliveryId, Modified(deliveryFailed: true, ("x-good", Encoded10.String("1")), (key, Encoded10.String("1"))));
        await client.ExpectDetach("amqp:invalid-field", 1);
        server.Queue("q").ReadyCount.ShouldBe(1);
        (await client.AttachReceiver()).HasSource.ShouldBeTrue();
        await client.Grant(1);
        (await client.ExpectDelivery()).Annotations.ShouldNotContainKey("x-good");
    }

    private static byte[] Modified(bool deliveryFailed, params (string, byte[])[] annotations) =>
        Encoded10.Composite(new Modified { DeliveryFailed = deliveryFailed, MessageAnnotations = Encoded10.Map(annotations) });
}
