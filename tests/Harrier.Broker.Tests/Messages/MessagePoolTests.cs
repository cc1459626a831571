using System.Collections.Concurrent;
using System.Threading.Channels;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Messages;

public class MessagePoolTests
{
    [Fact]
    public void A_size_class_is_the_smallest_that_fits_and_wastes_at_most_a_third() =>
        Properties.ForAll(Gen.Choose(0, MessagePool.PooledSizeMax), CheckClass, runs: 5_000);

    [Fact]
    public void Size_classes_fit_at_their_borders()
    {
        for (int sizeClass = 0; MessagePool.SizeOf(sizeClass) < MessagePool.PooledSizeMax; sizeClass++)
        {
            CheckClass(MessagePool.SizeOf(sizeClass));
            CheckClass(MessagePool.SizeOf(sizeClass) + 1);
            MessagePool.ClassOf(MessagePool.SizeOf(sizeClass)).ShouldBe(sizeClass);
        }
        CheckClass(MessagePool.PooledSizeMax);
    }

    [Fact]
    public void What_was_returned_is_rented_again()
    {
        Message first = MessagePool.Rent(5_000);
        MessagePool.Return(first);
        MessagePool.Rent(4_500).ShouldBeSameAs(first);
    }

    [Fact]
    public void A_rented_message_remembers_nothing_of_its_last_life()
    {
        Message first = TestMessages.Create("key", "exchange", 200);
        first.IsPersistent = true;
        first.ExtraRoutingKeys = ["cc"];
        first.Release();
        Message second = Message.Rent(first.Format, [], [], [], 200);
        second.ShouldBeSameAs(first);
        (second.IsPersistent, second.ExtraRoutingKeys, second.BodySize, second.Size).ShouldBe((false, null, 0, 0));
        (second.Exchange.IsEmpty, second.RoutingKey.IsEmpty).ShouldBe((true, true));
        second.Release();
    }

    [Fact]
    public void Very_large_messages_are_not_kept()
    {
        Message large = MessagePool.Rent(MessagePool.PooledSizeMax + 1);
        large.SizeClass.ShouldBe(-1);
        MessagePool.Return(large);
        MessagePool.Rent(MessagePool.PooledSizeMax + 1).ShouldNotBeSameAs(large);
    }

    [Fact]
    public async Task Messages_rented_on_one_thread_and_returned_on_another_are_never_shared()
    {
        var handOver = Channel.CreateBounded<(Message Message, byte Mark)>(500);
        var inUse = new ConcurrentDictionary<Message, bool>(ReferenceEqualityComparer.Instance);
        Task[] publishers = [.. Enumerable.Range(0, 3).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (int i = 0; i < 20_000; i++)
            {
                int size = random.Next(1, random.Next(20) == 0 ? 100_000 : 600);
                Message message = Message.Rent(null!, [], [], [], random.Next(size));
                inUse.TryAdd(message, true).ShouldBeTrue("nobody else has it");
                byte mark = (byte)random.Next(256);
                byte[] body = new byte[size];
                body.AsSpan().Fill(mark);
                message.AppendBody(body, size);
                await handOver.Writer.WriteAsync((message, mark));
            }
        }))];
        Task[] consumers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            await foreach ((Message message, byte mark) in handOver.Reader.ReadAllAsync())
            {
                message.Body.ContainsAnyExcept(mark).ShouldBeFalse("nobody else writes to it");
                inUse.TryRemove(message, out bool _).ShouldBeTrue();
                message.Release();
            }
        }))];
        await Task.WhenAll(publishers);
        handOver.Writer.Complete();
        await Task.WhenAll(consumers);
        inUse.ShouldBeEmpty();
    }

    private static void CheckClass(int size)
    {
        int sizeClass = MessagePool.ClassOf(size);
        MessagePool.SizeOf(sizeClass).ShouldBeGreaterThanOrEqualTo(size);
        if (sizeClass == 0) return;
        MessagePool.SizeOf(sizeClass - 1).ShouldBeLessThan(size);
        (size * 3).ShouldBeGreaterThanOrEqualTo(MessagePool.SizeOf(sizeClass) * 2);
    }
}
