// A broker inside a program, and a work queue on it: dotnet run --project examples/EmbeddedBroker
using System.Text;
using Harrier.Server;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

await using HarrierBroker broker = await HarrierBroker.StartAsync();
Console.WriteLine($"the broker listens on {broker.EndPoint}");

await using IConnection connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
await using IChannel channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
await channel.QueueDeclareAsync("tasks", durable: true, exclusive: false, autoDelete: false);
await channel.BasicQosAsync(prefetchSize: 0, prefetchCount: 1, global: false);

const int Tasks = 5;
var done = new CountdownEvent(Tasks);
var worker = new AsyncEventingBasicConsumer(channel);
worker.ReceivedAsync += async (_, delivery) =>
{
    Console.WriteLine($"working on {Encoding.UTF8.GetString(delivery.Body.Span)}");
    await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
    done.Signal();
};
await channel.BasicConsumeAsync("tasks", autoAck: false, worker);

for (int i = 1; i <= Tasks; i++) await channel.BasicPublishAsync("", "tasks", mandatory: true, Encoding.UTF8.GetBytes($"task {i}"));
done.Wait();
