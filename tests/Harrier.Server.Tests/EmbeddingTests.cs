using System.Net.Sockets;
using System.Text;
using Harrier.Amqp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Harrier.Server.Tests;

public sealed class EmbeddingTests
{
    [Fact]
    public async Task A_broker_in_this_process_serves_a_real_client_on_a_free_port()
    {
        await using HarrierBroker broker = await HarrierBroker.StartAsync();
        await using IConnection connection = await ConnectAsync(broker);
        await using IChannel channel = await connection.CreateChannelAsync();
        string queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.BasicPublishAsync("", queue, Encoding.UTF8.GetBytes("hello"));

        BasicGetResult? got = await channel.BasicGetAsync(queue, autoAck: true);

        Encoding.UTF8.GetString(got!.Body.Span).ShouldBe("hello");
        broker.EndPoint.Port.ShouldNotBe(0);
        broker.ConnectionCount.ShouldBe(1);
    }

    [Fact]
    public async Task Two_brokers_in_one_process_know_nothing_of_each_other()
    {
        await using HarrierBroker one = await HarrierBroker.StartAsync();
        await using HarrierBroker other = await HarrierBroker.StartAsync();
        await using IConnection toOne = await ConnectAsync(one);
        await using IConnection toOther = await ConnectAsync(other);
        await using IChannel channel = await toOne.CreateChannelAsync();
        await channel.QueueDeclareAsync("q", durable: true, exclusive: false, autoDelete: false);
        await using IChannel otherChannel = await toOther.CreateChannelAsync();

        var missing = await Should.ThrowAsync<OperationInterruptedException>(() => otherChannel.QueueDeclarePassiveAsync("q"));

        missing.ShutdownReason!.ReplyCode.ShouldBe((ushort)404);
    }

    [Fact]
    public async Task Stopping_closes_clients_with_320()
    {
        HarrierBroker broker = await HarrierBroker.StartAsync();
        await using IConnection connection = await ConnectAsync(broker);
        var closed = new TaskCompletionSource<ushort>();
        connection.ConnectionShutdownAsync += (_, e) =>
        {
            closed.TrySetResult(e.ReplyCode);
            return Task.CompletedTask;
        };

        await broker.StopAsync();

        (await closed.Task.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe((ushort)320);
        using var again = new TcpClient();
        await Should.ThrowAsync<SocketException>(() => again.ConnectAsync(broker.EndPoint));
    }

    [Fact]
    public async Task A_host_starts_and_stops_its_broker()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHarrier(options => options.Users.Add(new UserOptions { Name = "app", Password = "secret" }));
        using IHost host = builder.Build();
        await host.StartAsync();
        HarrierBroker broker = host.Services.GetRequiredService<HarrierService>().Broker;

        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = broker.EndPoint.Port, UserName = "app", Password = "secret" };
        await using (IConnection connection = await factory.CreateConnectionAsync()) connection.IsOpen.ShouldBeTrue();

        await host.StopAsync();
        await Should.ThrowAsync<BrokerUnreachableException>(() => factory.CreateConnectionAsync());
    }

    [Fact]
    public async Task Users_have_the_permissions_they_were_given()
    {
        var options = new HarrierOptions();
        options.Users.Add(new UserOptions
        {
            Name = "app",
            PasswordHash = "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
            Permissions = { ["/"] = new PermissionOptions { Configure = "^mine", Write = "", Read = ".*" } },
        });
        await using HarrierBroker broker = await HarrierBroker.StartAsync(options);
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = broker.EndPoint.Port, UserName = "app", Password = "test12" };
        await using IConnection connection = await factory.CreateConnectionAsync();
        await using IChannel channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync("mine", durable: true, exclusive: false, autoDelete: false);

        var refused = await Should.ThrowAsync<OperationInterruptedException>(
            () => channel.QueueDeclareAsync("theirs", durable: true, exclusive: false, autoDelete: false));

        refused.ShutdownReason!.ReplyText.ShouldBe("ACCESS_REFUSED - configure access to queue 'theirs' in vhost '/' refused for user 'app'");
    }

    [Fact]
    public async Task Impossible_options_are_named()
    {
        (await Should.ThrowAsync<HarrierOptionsException>(() => HarrierBroker.StartAsync(new HarrierOptions { Bind = "nowhere" }))).Message.ShouldContain("bind");
        (await Should.ThrowAsync<HarrierOptionsException>(() => HarrierBroker.StartAsync(new HarrierOptions { MemoryWatermark = 2 }))).Message.ShouldContain("memoryWatermark");
        var broken = new HarrierOptions { Users = { new UserOptions { Name = "u", PasswordHash = "x" } } };
        (await Should.ThrowAsync<HarrierOptionsException>(() => HarrierBroker.StartAsync(broken))).Message.ShouldContain("passwordHash");
        var nobody = new HarrierOptions { AnonymousUser = "nobody" };
        (await Should.ThrowAsync<HarrierOptionsException>(() => HarrierBroker.StartAsync(nobody))).Message.ShouldContain("anonymousUser");
        var tooMany = new HarrierOptions { Limits = new ConnectionLimits { ChannelsMax = 70_000 } };
        (await Should.ThrowAsync<HarrierOptionsException>(() => HarrierBroker.StartAsync(tooMany))).Message.ShouldContain("ChannelsMax");
    }

    [Fact]
    public async Task A_taken_port_is_an_error()
    {
        await using HarrierBroker broker = await HarrierBroker.StartAsync();

        await Should.ThrowAsync<IOException>(() => HarrierBroker.StartAsync(new HarrierOptions { Port = broker.EndPoint.Port }));
    }

    private static Task<IConnection> ConnectAsync(HarrierBroker broker) => new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
}
