using Harrier.Amqp.Conversion;
using Harrier.Amqp.V091;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests.Conversion;

/// <summary>What a dead 1.0 message tells of its deaths.</summary>
[Trait("Note", "113")]
public class DeathAnnotationTests
{
    private const long TimeMs = 1_700_000_000_999;

    private static readonly MessageFormat10 Format = MessageFormat10.Instance;
    private static readonly byte[] Plain = new MessageModel10 { Properties = new Items("id"), Application = Pairs.Named(("n", 1)) }.EncodePrefix();

    [Fact]
    public void The_first_death()
    {
        MessageModel10.Texts(Die(Message("x", "k", Plain), "q", DeathReason.Expired)).ShouldBe(
        [
            "72 {sym x-first-death-reason: str expired, sym x-first-death-queue: str q, sym x-first-death-exchange: str x, "
            + $"sym x-opt-deaths: <{Told("q", "expired", 1, TimeMs, TimeMs, "x", "k")}>, "
            + "sym x-last-death-reason: str expired, sym x-last-death-queue: str q, sym x-last-death-exchange: str x}",
            "73 [str id]", "74 {str n: int 1}",
        ]);
    }

    [Fact]
    public void The_same_death_again_counts_and_comes_first_and_keeps_what_the_first_one_told()
    {
        byte[] once = Die(Message("x", "k", Plain), "q1", DeathReason.Rejected);
        byte[] other = DieAgain("y", "l", once, "q2", DeathReason.MaxLength);
        byte[] again = DieAgain("z", "m", other, "q1", DeathReason.Rejected, TimeMs + 60_000);
        string annotations = MessageModel10.Texts(again)[0];
        annotations.ShouldContain(
            $"<{Told("q1", "rejected", 2, TimeMs, TimeMs + 60_000, "x", "k")}, {Told("q2", "maxlen", 1, TimeMs, TimeMs, "y", "l")}>");
        annotations.ShouldContain("sym x-first-death-exchange: str x");
        annotations.ShouldContain("sym x-last-death-exchange: str z");
        annotations.Split("x-last-death-queue").Length.ShouldBe(2);
    }

    [Fact]
    public void The_time_to_live_moves_into_the_death_that_found_it()
    {
        byte[] properties = new MessageModel10 { Header = new Items(true, (byte)4, 60_000u, null, 3u) }.EncodePrefix();
        string[] texts = MessageModel10.Texts(Die(Message("x", "k", properties), "q", DeathReason.Expired));
        texts[0].ShouldBe("70 [true, ubyte 4, null, null, uint 3]");
        texts[1].ShouldContain("<{sym ttl: uint 60000, sym queue: str q, ");
        byte[] plain = new MessageModel10 { Header = new Items(true, (byte)4) }.EncodePrefix();
        MessageModel10.Texts(Die(Message("x", "k", plain), "q", DeathReason.Expired))[0].ShouldBe("70 [true, ubyte 4]");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Keys_of_x_cc_are_told_and_the_annotation_stays_only_with_the_keys(bool keepsCarbonCopies)
    {
        Message message = new MessageModel10 { Annotations = Pairs.Annotated(("x-a", 1), ("x-cc", new Items("c1", "c2"))) }.ToMessage();
        string annotations = MessageModel10.Texts(Format.WithDeath(message, new Death("q", DeathReason.Rejected, TimeMs), keepsCarbonCopies))[0];
        annotations.ShouldContain("sym routing-keys: <str k, str c1, str c2>");
        annotations.Contains("sym x-cc: [str c1, str c2]", StringComparison.Ordinal).ShouldBe(keepsCarbonCopies);
        annotations.ShouldContain("{sym x-a: int 1, ");
    }

    [Fact]
    public void Deaths_that_a_publisher_made_up_are_not_counted()
    {
        byte[] real = Die(Message("x", "k", Plain), "q", DeathReason.Expired);
        Die(Message("x", "k", real), "q", DeathReason.Expired).ShouldBe(real); // published again by a client, it begins anew
        Format.HasCycle(Message("x", "k", real), "q").ShouldBeFalse();
        Format.FindLastDeath(Message("x", "k", real)).ShouldBeNull();
        byte[] nonsense = new MessageModel10
        {
            Annotations = Pairs.Annotated(("x-opt-deaths", "dead"), ("x-last-death-queue", 1), ("x-first-death-reason", null)),
            Properties = new Items("id"), Application = Pairs.Named(("n", 1)),
        }.EncodePrefix();
        Die(Message("x", "k", nonsense), "q", DeathReason.Expired).ShouldBe(real);
    }

    [Fact]
    public void Annotations_that_are_no_deaths_though_a_broker_should_have_written_them_do_no_harm()
    {
        var maps = new Same(0xd1, Pairs.Annotated(("queue", 5)), new Pairs());
        foreach (object value in (object[])["dead", new Items(1), new Same(0x40, null, null), new Same(0x71, 1, 2), maps])
        {
            Message message = new MessageModel10 { Annotations = Pairs.Annotated(("x-opt-deaths", value)) }.ToMessage(hasDeaths: true);
            Format.HasCycle(message, "q").ShouldBeFalse();
            Format.FindLastDeath(message);
            byte[] dead = Die(message, "q", DeathReason.Expired);
            Format.HasCycle(Message("x", "k", dead, hasDeaths: true), "q").ShouldBeTrue();
        }
    }

    [Fact]
    public void The_last_death_tells_how_the_message_had_come()
    {
        byte[] dead = DieAgain("y", "l", Die(Message("x", "k", Plain), "q1", DeathReason.Rejected), "q2", DeathReason.Expired);
        Format.FindLastDeath(Message("dlx", "dlk", dead, hasDeaths: true)).ShouldBe(new DeathPlace("q2", "y", "l"));
        Format.FindLastDeath(Message("x", "k", Plain, hasDeaths: true)).ShouldBeNull();
    }

    [Fact]
    public void Sixty_four_deaths_are_kept_and_the_oldest_goes()
    {
        byte[] dead = Die(Message("x", "k", Plain), "q0", DeathReason.Rejected);
        for (int i = 1; i <= 70; i++) dead = DieAgain("x", "k", dead, $"q{i}", DeathReason.Expired);
        string annotations = MessageModel10.Texts(dead)[0];
        annotations.Split("sym count").Length.ShouldBe(1 + DeathHeaders.DeathsMax);
        annotations.ShouldContain("sym queue: str q70,");
        annotations.ShouldContain("sym queue: str q7,");
        annotations.ShouldNotContain("sym queue: str q6,");
        annotations.ShouldContain("x-first-death-queue: str q0");
    }

    [Fact]
    public void Deaths_of_a_message_with_very_many_keys_stay_small()
    {
        var keys = new Items([.. Enumerable.Range(0, 2000).Select(i => $"a key with a number {i}")]);
        Message message = new MessageModel10 { Annotations = Pairs.Annotated(("x-cc", keys)) }.ToMessage();
        for (int i = 0; i < 64; i++)
        {
            byte[] dead = Format.WithDeath(message, new Death($"q{i}", DeathReason.Expired, TimeMs), keepsCarbonCopies: true);
            message = message.Copy("x"u8, "k"u8, dead);
            message.HasDeaths = true;
        }
        message.Properties.Length.ShouldBeLessThan(100_000 + DeathHeaders.DeathsBytesMax + 2 * DeathHeaders.CopiesBytesMax);
    }

    [Theory]
    [InlineData("q3:expired", "q4", false)]
    [InlineData("q3:expired", "q3", true)]
    [InlineData("q3:rejected", "q3", false)]
    [InlineData("q1:expired q2:expired q3:expired", "q1", true)]
    [InlineData("q1:expired q2:rejected q3:expired", "q1", false)]
    [InlineData("q1:rejected q2:expired q3:expired", "q2", true)]
    [InlineData("q1:maxlen q2:delivery_limit", "q1", true)]
    public void A_cycle_is_a_way_back_without_a_rejection(string deaths, string target, bool isCycle)
    {
        byte[] properties = Plain;
        bool hasDeaths = false;
        foreach (string[] death in deaths.Split(' ').Select(d => d.Split(':')))
        {
            DeathReason reason = Enum.GetValues<DeathReason>().Single(r => Death.NameOf(r) == death[1]);
            properties = Die(Message("x", "k", properties, hasDeaths), death[0], reason);
            hasDeaths = true;
        }
        Format.HasCycle(Message("x", "k", properties, hasDeaths), target).ShouldBe(isCycle);
    }

    [Fact]
    public void A_circle_longer_than_the_memory_ends_too()
    {
        byte[] dead = Die(Message("x", "k", Plain), "q0", DeathReason.Expired);
        int deaths = 1;
        while (!Format.HasCycle(Message("x", "k", dead, hasDeaths: true), $"q{deaths % 100}"))
        {
            dead = DieAgain("x", "k", dead, $"q{deaths % 100}", DeathReason.Expired);
            (++deaths).ShouldBeLessThanOrEqualTo(DeathHeaders.DeathsMax);
        }
    }

    private static string Told(string queue, string reason, int count, long firstMs, long lastMs, string exchange, string key) =>
        $"{{sym queue: str {queue}, sym reason: sym {reason}, sym count: ulong {count}, sym first-time: time {firstMs}, sym last-time: time {lastMs}, "
        + $"sym exchange: str {exchange}, sym routing-keys: <str {key}>}}";

    private static Message Message(string exchange, string routingKey, byte[] properties, bool hasDeaths = false) =>
        MessageModel10.Of(properties, new MessageModel10().EncodeBody(), exchange, routingKey, hasDeaths);

    private static byte[] Die(Message message, string queue, DeathReason reason) =>
        Format.WithDeath(message, new Death(queue, reason, TimeMs), keepsCarbonCopies: true);

    private static byte[] DieAgain(string exchange, string routingKey, byte[] properties, string queue, DeathReason reason, long timeMs = TimeMs) =>
        Format.WithDeath(Message(exchange, routingKey, properties, hasDeaths: true), new Death(queue, reason, timeMs), keepsCarbonCopies: true);
}
