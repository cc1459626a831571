using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Sessions;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Sessions;

public class DirectRepliesTests
{
    [Theory]
    [InlineData("amq.rabbitmq.reply-to", true)]
    [InlineData("amq.rabbitmq.reply-to.", true)]
    [InlineData("amq.rabbitmq.reply-to.token", true)]
    [InlineData("amq.rabbitmq.reply-tokens", false)]
    [InlineData("amq.rabbitmq.reply", false)]
    [InlineData("", false)]
    public void Reply_names_are_the_queue_and_what_is_below_it(string name, bool expected) =>
        DirectReplies.IsReplyName(Encoding.UTF8.GetBytes(name)).ShouldBe(expected);

    [Fact]
    public void A_requester_is_found_until_it_goes()
    {
        var replies = new DirectReplies();
        var requester = new Requester();
        Utf8Name name = DirectReplies.NameOf("token");
        replies.Add(name, requester);
        replies.TryFind("amq.rabbitmq.reply-to.token", out IReplyConsumer? found).ShouldBeTrue();
        found.ShouldBeSameAs(requester);
        replies.TryFind("amq.rabbitmq.reply-to.guess", out _).ShouldBeFalse();
        replies.Remove(name);
        replies.TryFind(name, out _).ShouldBeFalse();
    }

    private sealed class Requester : IReplyConsumer
    {
        public bool TryDeliver(Message message) => true;
    }
}
