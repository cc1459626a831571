using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.Tests.V10;

/// <summary>What the standard says and the server does not do yet.</summary>
public class KnownFailures
{
    [Fact]
    public async Task Pieces_of_a_delivery_of_different_formats_cost_the_link()
    {
        await using var server = new TestServer();
        WireScript10 client = await server.OpenWithAsync(0);
        byte[] message = Message10.Of("x");
        await client.Send(new Frames10()
            .Add(new Transfer { DeliveryId = 0, DeliveryTag = "t"u8, MessageFormat = 0, More = true }, payload: message.AsSpan(0, 3))
            .Add(new Transfer { MessageFormat = 1 }, payload: message.AsSpan(3)));
        await client.ExpectDetach("amqp:invalid-field"); // 1.0 part 2, section 2.7.5
    }

    [Fact]
    public async Task Settlement_that_is_told_to_who_settles_second_fits_its_frames()
    {
        await using var server = new TestServer();
        await server.OpenWithAsync(1);
        WireScript10 client = await server.Open10(new OpenOptions10 { MaxFrameSize = 512 });
        await client.AttachReceiver(1, receiveMode: ReceiverSettleMode.Second);
        await client.Grant(1);
        uint id = (await client.ExpectDelivery()).DeliveryId;
        byte[] error = Encoded10.Composite(new AmqpError { Condition = "x:y"u8, Description = System.Text.Encoding.ASCII.GetBytes(new string('d', 2_000)) });
        await client.Settle(id, Encoded10.Composite(new Rejected { Error = error }), settled: false);
        (await client.Expect<WireDisposition>()).Settled.ShouldBeTrue(); // fails when the frame is larger
    }
}
