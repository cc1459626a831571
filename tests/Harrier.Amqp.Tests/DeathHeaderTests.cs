using Harrier.Amqp.V091;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.Tests;

/// <summary>What a dead letter tells of its deaths: the bytes of its property section, read by a reader of the test's own.</summary>
public class DeathHeaderTests
{
    private const long TimeMs = 1_700_000_000_999;

    private static readonly MessageFormat091 Format = MessageFormat091.Instance;

    [Fact, Trait("Note", "100")]
    public void Note_100_the_first_death_of_a_message_without_properties()
    {
        byte[] dead = Die(Message("x", "k", PropertyBytes.None), "q", DeathReason.Expired);
        PropertySection.Read(dead).HeaderTexts.ShouldBe(
        [
            "x-first-death-reason=S expired", "x-first-death-queue=S q", "x-first-death-exchange=S x",
            "x-death=A [F {count=l 1, reason=S expired, queue=S q, time=T 1700000000, exchange=S x, routing-keys=A [S k]}]",
            "x-last-death-reason=S expired", "x-last-death-queue=S q", "x-last-death-exchange=S x",
        ]);
    }

    [Theory, Trait("Note", "100")]
    [InlineData(DeathReason.Rejected, "rejected")]
    [InlineData(DeathReason.Expired, "expired")]
    [InlineData(DeathReason.MaxLength, "maxlen")]
    [InlineData(DeathReason.DeliveryLimit, "delivery_limit")]
    public void Note_100_reasons_are_spelt_as_RabbitMQ_spells_them(DeathReason reason, string name)
    {
        Death.NameOf(reason).ShouldBe(name);
        PropertySection.Read(Die(Message("x", "k", PropertyBytes.None), "q", reason)).Find("x-last-death-reason").ShouldBe([$"S {name}"]);
    }

    [Theory, Trait("Note", "100"), Trait("Note", "61")]
    [InlineData("60000", "60000")]
    [InlineData("0", "0")]
    [InlineData("007", "7")]
    public void Note_100_the_expiration_moves_into_the_death_that_found_it(string expiration, string original)
    {
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.Expiration, expiration).Text(BasicPropertyFlags.ReplyTo, "r").Encode();
        PropertySection first = PropertySection.Read(Die(Message("", "k", properties), "q1", DeathReason.Expired));
        first.HasExpiration.ShouldBeFalse();
        first.Others.ShouldBe(["9: 0172"]);
        string known = $"F {{original-expiration=S {original}, count=l 1, reason=S expired, queue=S q1, time=T 1700000000, exchange=S , routing-keys=A [S k]}}";
        first.Find("x-death").ShouldBe([$"A [{known}]"]);

        byte[] dead = DieAgain("x", "k2", Die(Message("", "k", properties), "q1", DeathReason.Expired), "q2", DeathReason.Expired);
        PropertySection.Read(dead).Find("x-death").ShouldBe(
            [$"A [F {{count=l 1, reason=S expired, queue=S q2, time=T 1700000000, exchange=S x, routing-keys=A [S k2]}}, {known}]"]);
    }

    [Fact, Trait("Note", "100")]
    public void Note_100_the_same_death_again_counts_and_comes_first_and_keeps_what_the_first_one_told()
    {
        byte[] once = Die(Message("x", "k", PropertyBytes.None), "q1", DeathReason.Rejected);
        byte[] other = DieAgain("y", "l", once, "q2", DeathReason.Expired);
        byte[] again = DieAgain("z", "m", other, "q1", DeathReason.Rejected, TimeMs + 60_000);
        PropertySection section = PropertySection.Read(again);
        section.Find("x-death").ShouldBe(
        [
            "A [F {count=l 2, reason=S rejected, queue=S q1, time=T 1700000000, exchange=S x, routing-keys=A [S k]}, "
            + "F {count=l 1, reason=S expired, queue=S q2, time=T 1700000000, exchange=S y, routing-keys=A [S l]}]",
        ]);
        section.Find("x-first-death-queue").ShouldBe(["S q1"]);
        section.Find("x-first-death-exchange").ShouldBe(["S x"]);
        section.Find("x-last-death-queue").ShouldBe(["S q1"]);
        section.Find("x-last-death-exchange").ShouldBe(["S z"]);
    }

    [Fact, Trait("Note", "100")]
    public void Note_100_another_reason_in_the_same_queue_is_another_death()
    {
        byte[] dead = DieAgain("x", "k", Die(Message("x", "k", PropertyBytes.None), "q", DeathReason.Rejected), "q", DeathReason.Expired, TimeMs + 1000);
        PropertySection.Read(dead).Find("x-death").ShouldBe(
        [
            "A [F {count=l 1, reason=S expired, queue=S q, time=T 1700000001, exchange=S x, routing-keys=A [S k]}, "
            + "F {count=l 1, reason=S rejected, queue=S q, time=T 1700000000, exchange=S x, routing-keys=A [S k]}]",
        ]);
    }

    [Theory, Trait("Note", "100"), Trait("Note", "102")]
    [InlineData(true)]
    [InlineData(false)]
    public void Note_100_CC_keys_are_told_and_the_header_stays_only_with_the_keys(bool keepsCarbonCopies)
    {
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("a", 1), ("CC", Fields.Texts("c1", "c2")), ("b", 2))).Encode();
        PropertySection dead = PropertySection.Read(Format.WithDeath(Message("x", "k", properties), ADeath("q", DeathReason.Rejected), keepsCarbonCopies));
        dead.Find("x-death")[0].ShouldContain("routing-keys=A [S k, S c1, S c2]");
        dead.HeaderTexts.TakeWhile(h => !h.StartsWith("x-", StringComparison.Ordinal))
            .ShouldBe(keepsCarbonCopies ? ["a=I 1", "CC=A [S c1, S c2]", "b=I 2"] : ["a=I 1", "b=I 2"]);
    }

    [Fact, Trait("Note", "100")]
    public void Note_100_deaths_that_a_publisher_made_up_are_not_counted()
    {
        byte[] real = Die(Message("x", "k", PropertyBytes.None), "q", DeathReason.Expired);
        PropertySection.Read(Die(Message("x", "k", real), "q", DeathReason.Expired)).HeaderTexts
            .ShouldBe(PropertySection.Read(real).HeaderTexts); // published again by a client, it begins anew
        byte[] nonsense = new PropertyBytes().Headers(Fields.Table(("x-death", "dead"), ("x-last-death-queue", 1), ("x-first-death-reason", null))).Encode();
        PropertySection.Read(Die(Message("x", "k", nonsense), "q", DeathReason.Expired)).HeaderTexts.ShouldBe(PropertySection.Read(real).HeaderTexts);
        Format.HasCycle(Message("x", "k", real), "q").ShouldBeFalse();
    }

    [Fact]
    public void Sixty_four_deaths_are_kept_and_the_oldest_goes()
    {
        byte[] dead = Die(Message("x", "k", PropertyBytes.None), "q0", DeathReason.Rejected);
        for (int i = 1; i <= 70; i++) dead = DieAgain("x", "k", dead, $"q{i}", DeathReason.Expired);
        string deaths = PropertySection.Read(dead).Find("x-death").ShouldHaveSingleItem();
        deaths.Split("count=").Length.ShouldBe(1 + 64);
        deaths.ShouldContain("queue=S q70,");
        deaths.ShouldContain("queue=S q7,");
        deaths.ShouldNotContain("queue=S q6,");
        PropertySection.Read(dead).Find("x-first-death-queue").ShouldBe(["S q0"]);
    }

    [Fact]
    public void Deaths_of_a_message_with_very_many_keys_stay_small()
    {
        byte[] properties = new PropertyBytes().Headers(Fields.Table(("CC", Enumerable.Range(0, 2000).Select(i => $"a key with a number {i}").ToArray()))).Encode();
        byte[] dead = Die(Message("x", "k", properties), "q0", DeathReason.Expired);
        for (int i = 1; i < 64; i++) dead = DieAgain("x", "k", dead, $"q{i}", DeathReason.Expired);
        (dead.Length - properties.Length).ShouldBeLessThan(64 * (DeathHeaders.CopiesBytesMax + 200));
        PropertySection.Read(dead).Find("x-death")[0].ShouldContain("[S k, S a key with a number 0, S a key with a number 1,");
    }

    [Fact]
    public void The_longest_names_fit()
    {
        string name = new('n', 255);
        byte[] properties = new PropertyBytes().Text(BasicPropertyFlags.Expiration, "315360000000")
            .Headers(Fields.Table(("CC", Enumerable.Repeat(name, 100).ToArray()))).Encode();
        byte[] dead = Die(Message(name, name, properties), name, DeathReason.DeliveryLimit);
        PropertySection.Read(dead).Find("x-last-death-exchange").ShouldBe([$"S {name}"]);
    }

    [Theory, Trait("Note", "101")]
    [InlineData("q3:expired", "q4", false)]
    [InlineData("q3:expired", "q3", true)]
    [InlineData("q3:rejected", "q3", false)]
    [InlineData("q1:expired q2:expired q3:expired", "q1", true)]
    [InlineData("q1:expired q2:rejected q3:expired", "q1", false)]
    [InlineData("q1:rejected q2:expired q3:expired", "q2", true)] // rejected before the circle began
    [InlineData("q1:rejected q2:expired q3:expired", "q1", false)]
    [InlineData("q1:maxlen q2:delivery_limit", "q1", true)]
    [InlineData("q1:rejected q1:expired", "q1", true)]
    [InlineData("q1:expired q1:rejected q2:expired", "q1", false)]
    [InlineData("q1:rejected q2:expired q1:rejected q2:expired", "q2", true)]
    public void Note_101_a_cycle_is_a_way_back_without_a_rejection(string deaths, string target, bool isCycle)
    {
        byte[] properties = PropertyBytes.None;
        bool hasDeaths = false;
        foreach (string[] death in deaths.Split(' ').Select(d => d.Split(':')))
        {
            DeathReason reason = Enum.GetValues<DeathReason>().Single(r => Death.NameOf(r) == death[1]);
            properties = Die(Message("x", "k", properties, hasDeaths), death[0], reason);
            hasDeaths = true;
        }
        Format.HasCycle(Message("x", "k", properties, hasDeaths), target).ShouldBe(isCycle);
    }

    [Fact, Trait("Note", "101")]
    public void Note_101_a_circle_longer_than_the_memory_ends_too()
    {
        byte[] dead = Die(Message("x", "k", PropertyBytes.None), "q0", DeathReason.Expired);
        int deaths = 1;
        while (!Format.HasCycle(Message("x", "k", dead, hasDeaths: true), $"q{deaths % 100}"))
        {
            dead = DieAgain("x", "k", dead, $"q{deaths % 100}", DeathReason.Expired);
            (++deaths).ShouldBeLessThanOrEqualTo(DeathHeaders.DeathsMax);
        }
        dead = DieAgain("x", "k", dead, "q", DeathReason.Rejected);
        Format.HasCycle(Message("x", "k", dead, hasDeaths: true), "other").ShouldBeFalse();
    }

    [Fact, Trait("Note", "75")]
    public void Note_75_whatever_the_properties_a_death_changes_nothing_else() => PropertySectionGen.ForAll(properties =>
    {
        foreach (bool hasDeaths in (bool[])[false, true])
        {
            byte[] dead = Format.WithDeath(Message("x", "k", properties, hasDeaths), ADeath("q", DeathReason.MaxLength), keepsCarbonCopies: hasDeaths);
            PropertySection before = PropertySection.Read(properties), after = PropertySection.Read(dead);
            after.Others.ShouldBe(before.Others);
            after.HasExpiration.ShouldBeFalse();
            after.Headers!.Where(IsNotTouched).Select(h => Convert.ToHexString(h.Bytes))
                .ShouldBe((before.Headers ?? []).Where(IsNotTouched).Select(h => Convert.ToHexString(h.Bytes)));
            after.Find("x-death").ShouldHaveSingleItem().ShouldStartWith("A [F {");
            after.Find("x-last-death-queue").ShouldBe(["S q"]);
            after.Find("CC").ShouldBe(hasDeaths ? before.Find("CC") : []);
            if (!hasDeaths) after.Find("x-first-death-reason").ShouldBe(["S maxlen"]);
            Format.HasCycle(Message("x", "k", dead, hasDeaths: true), "q").ShouldBeTrue();
        }

        static bool IsNotTouched(Header header) => header.Name is not ("x-death" or "CC" or "x-first-death-reason" or "x-first-death-queue"
            or "x-first-death-exchange" or "x-last-death-reason" or "x-last-death-queue" or "x-last-death-exchange");
    });

    private static Message Message(string exchange, string routingKey, byte[] properties, bool hasDeaths = false)
    {
        Message message = Harrier.Broker.Messages.Message.Rent(Format, new Utf8Name(exchange).Span, new Utf8Name(routingKey).Span, properties, 0);
        message.HasDeaths = hasDeaths;
        return message;
    }

    private static Death ADeath(string queue, DeathReason reason, long timeMs = TimeMs) => new(queue, reason, timeMs);

    private static byte[] Die(Message message, string queue, DeathReason reason) => Format.WithDeath(message, ADeath(queue, reason), keepsCarbonCopies: true);

    private static byte[] DieAgain(string exchange, string routingKey, byte[] properties, string queue, DeathReason reason, long timeMs = TimeMs) =>
        Format.WithDeath(Message(exchange, routingKey, properties, hasDeaths: true), ADeath(queue, reason, timeMs), keepsCarbonCopies: true);
}
