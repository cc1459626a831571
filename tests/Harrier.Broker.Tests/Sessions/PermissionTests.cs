using Harrier.Broker.Messages;
using Harrier.Broker.Security;
using Harrier.Broker.Sessions;
using Harrier.Broker.Tests.Support;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Sessions;

/// <summary>Which permission each operation needs, and what is said when it is missing.</summary>
public class PermissionTests
{
    private readonly TestBroker _broker = new();

    public PermissionTests()
    {
        ClientSession admin = _broker.Connect();
        admin.Queue("q");
        admin.Exchange("x", "fanout");
    }

    [Fact]
    public void Declaring_and_deleting_need_configure()
    {
        ClientSession session = With(configure: "", write: ".*", read: ".*");
        Refused(() => session.Queue("new"), "configure access to queue 'new' in vhost '/' refused for user 'u'");
        Refused(() => session.DeleteQueue("q", false, false), "configure access to queue 'q' in vhost '/' refused for user 'u'");
        Refused(() => session.DeleteQueue("missing", false, false), "configure access to queue 'missing' in vhost '/' refused for user 'u'");
        Refused(() => session.Exchange("new"), "configure access to exchange 'new' in vhost '/' refused for user 'u'");
        Refused(() => session.DeleteExchange("x", false), "configure access to exchange 'x' in vhost '/' refused for user 'u'");
    }

    [Theory]
    [InlineData(".*", "", "")]
    [InlineData("", ".*", "")]
    [InlineData("", "", ".*")]
    public void Note_34_any_permission_is_enough_for_a_passive_declaration(string configure, string write, string read)
    {
        ClientSession session = With(configure, write, read);
        session.DeclareQueuePassively("q");
        session.DeclareExchangePassively("x");
    }

    [Fact]
    public void A_passive_declaration_needs_some_permission()
    {
        ClientSession session = With("", "", "");
        Refused(() => session.DeclareQueuePassively("q"), "configure access to queue 'q' in vhost '/' refused for user 'u'");
    }

    [Fact]
    public void Note_44_binding_needs_write_on_the_destination_and_read_on_the_source()
    {
        ClientSession reader = With("", "", ".*"), writer = With("", ".*", "");
        Action<ClientSession>[] operations =
            [s => s.BindQueue("x", "q"), s => s.UnbindQueue("x", "q"), s => s.BindExchange("x", "amq.fanout"), s => s.UnbindExchange("x", "amq.fanout")];
        for (int i = 0; i < operations.Length; i++)
        {
            Action<ClientSession> operation = operations[i];
            string destination = i < 2 ? "queue 'q'" : "exchange 'amq.fanout'";
            Refused(() => operation(reader), $"write access to {destination} in vhost '/' refused for user 'u'");
            Refused(() => operation(writer), "read access to exchange 'x' in vhost '/' refused for user 'u'");
            operation(With("", ".*", "^x$"));
        }
    }

    [Fact]
    public void Consuming_getting_and_purging_need_read()
    {
        ClientSession session = With(".*", ".*", "");
        Refused(() => session.QueueToRead("q"), "read access to queue 'q' in vhost '/' refused for user 'u'");
        Refused(() => session.Purge("q"), "read access to queue 'q' in vhost '/' refused for user 'u'");
        With("", "", ".*").Purge("q").ShouldBe(0);
    }

    [Fact]
    public void Note_56_permission_is_checked_before_existence() =>
        Refused(() => With(".*", "", ".*").ExchangeToPublishTo("missing"), "write access to exchange 'missing' in vhost '/' refused for user 'u'");

    [Fact]
    public void Note_58_the_default_exchange_is_called_amq_default()
    {
        With("", "^amq\\.default$", "").ExchangeToPublishTo("").Name.IsEmpty.ShouldBeTrue();
        Refused(() => With("", "^$", "").ExchangeToPublishTo(""), "write access to exchange 'amq.default' in vhost '/' refused for user 'u'");
    }

    [Fact]
    public void An_alternate_exchange_needs_read_on_the_exchange_and_write_on_the_alternate()
    {
        Argument alternate = new("alternate-exchange", ArgumentValue.Of("ae"));
        Refused(() => With(".*", ".*", "").Exchange("new", arguments: alternate), "read access to exchange 'new' in vhost '/' refused for user 'u'");
        Refused(() => With(".*", "new", ".*").Exchange("new", arguments: alternate), "write access to exchange 'ae' in vhost '/' refused for user 'u'");
        With("new", "ae", "new").Exchange("new", arguments: alternate);
    }

    [Fact]
    public void Note_103_a_dead_letter_exchange_needs_read_on_the_queue_and_write_on_the_exchange_when_the_queue_is_made()
    {
        Argument exchange = new("x-dead-letter-exchange", ArgumentValue.Of("dlx"));
        Refused(() => With(".*", ".*", "").Queue("new", arguments: exchange), "read access to queue 'new' in vhost '/' refused for user 'u'");
        Refused(() => With(".*", "new", ".*").Queue("new", arguments: exchange), "write access to exchange 'dlx' in vhost '/' refused for user 'u'");
        With("new", "dlx", "new").Queue("new", arguments: exchange);
        With("new", "", "").Queue("new", arguments: exchange);
        _broker.Host.SetPolicy(Drafts.Of("dead-letter-exchange=dlx")).ShouldBeNull();
        With("other", "", "").Queue("other").Settings.DeadLetterExchange.ShouldBe(new Utf8Name("dlx"), "nobody is asked for a policy's");
    }

    [Fact]
    public void Another_virtual_host_is_closed()
    {
        var user = new User("u", null, new HashSet<string>(), System.Collections.Frozen.FrozenDictionary<string, Permissions>.Empty);
        user.Allows("/", Permission.Read, "q").ShouldBeFalse();
    }

    private ClientSession With(string configure, string write, string read) =>
        _broker.Connect(new Permissions(new PermissionPattern(configure), new PermissionPattern(write), new PermissionPattern(read)));

    private static void Refused(Action action, string text) => action.ShouldBeRefused(ErrorCode.AccessRefused, text);
}
