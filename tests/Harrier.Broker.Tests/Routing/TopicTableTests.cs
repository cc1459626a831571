using FsCheck;
using FsCheck.Fluent;
using Harrier.Broker.Messages;
using Harrier.Broker.Queues;
using Harrier.Broker.Routing;
using Harrier.Broker.Tests.Support;
using Harrier.Broker.Topology;
using Shouldly;
using Xunit;

namespace Harrier.Broker.Tests.Routing;

public class TopicTableTests
{
    private static readonly Queue[] Queues = new TestQueues().Create(4);

    private static readonly Gen<string> Keys = Gen.Elements("a", "b", "ab", "").ArrayOf().Select(words => string.Join('.', words));

    private static readonly string[] SomeKeys = ["", "a", "b", ".", "a.", ".a", "a.b", "a..b", "a.a.b", "b.a.ab", "a.b.a.b"];

    private static readonly Gen<string> Patterns = Gen.Elements("a", "b", "", "*", "#", "*").ArrayOf()
        .Select(words => string.Join('.', words))
        .Where(p => p.Split('.').Count(w => w == "#") <= TopicTable.HashesMax);

    [Fact]
    public void It_matches_as_the_words_say() => Properties.ForAll(Patterns.Zip(Keys), pair =>
    {
        var (pattern, key) = pair;
        Route(TopicTable.Empty.With(Bind(pattern, 0)), key).Count.ShouldBe(Matches(Words(pattern), Words(key)) ? 1 : 0, $"'{pattern}' and '{key}'");
    }, runs: 3_000, size: 6);

    [Fact]
    public void Any_order_of_binding_and_unbinding_ends_in_the_same_matches() =>
        Properties.ForAllSequences(Gen.Choose(0, 11).Zip(Patterns, (queue, pattern) => (queue, pattern)), steps =>
        {
            IBindingTable table = TopicTable.Empty;
            var bound = new HashSet<(int Queue, string Pattern)>();
            foreach ((int queue, string pattern) in steps)
            {
                // A second step with the same binding takes it away again; the few queues make that happen.
                (int, string) entry = (queue % 4, pattern);
                if (bound.Add(entry)) table = table.With(Bind(pattern, queue % 4));
                else
                {
                    bound.Remove(entry);
                    table = table.Without(Bind(pattern, queue % 4));
                }
            }
            foreach (string key in SomeKeys)
            {
                IEnumerable<int> expected = bound.Where(b => Matches(Words(b.Pattern), Words(key))).Select(b => b.Queue).Distinct().Order();
                Route(table, key).Order().ShouldBe(expected, $"key '{key}'");
            }
        }, runs: 200, size: 30);

    [Fact]
    public void A_table_does_not_change_when_another_is_made_of_it()
    {
        IBindingTable one = TopicTable.Empty.With(Bind("a.*", 0));
        IBindingTable two = one.With(Bind("a.#", 1));
        IBindingTable none = one.Without(Bind("a.*", 0));
        Route(one, "a.b").ShouldBe([0]);
        Route(two, "a.b").Order().ShouldBe([0, 1]);
        Route(none, "a.b").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("#", "", true)]
    [InlineData("", "", true)]
    [InlineData("*", "", false)]
    [InlineData("", "a", false)]
    [InlineData("a.*.b", "a..b", true)]
    [InlineData("a.#.b", "a.b", true)]
    [InlineData("#.#", "", true)]
    [InlineData("*.#", "", false)]
    [InlineData("a.#", "a", true)]
    [InlineData("#.a.#", "b.a.b.b", true)]
    [InlineData("a.#.b", "a.b.c", false)]
    [InlineData("ab", "a.b", false)]
    [InlineData("a*", "ab", false)]
    [InlineData("*", "*", true)]
    public void The_corners_of_note_49(string pattern, string key, bool matches) =>
        Route(TopicTable.Empty.With(Bind(pattern, 0)), key).Count.ShouldBe(matches ? 1 : 0);

    [Fact]
    public void The_longest_key_has_256_words()
    {
        string key = new('.', Utf8Name.SizeMax);
        Route(TopicTable.Empty.With(Bind(key, 0)).With(Bind("#", 1)), key).Order().ShouldBe([0, 1]);
    }

    [Fact]
    public void Two_hashes_and_the_longest_key_are_no_way_to_keep_the_broker_busy()
    {
        IBindingTable table = TopicTable.Empty;
        for (int i = 0; i < 20; i++) table = table.With(Bind($"#.{i}.#.x", 0));
        string key = string.Join('.', Enumerable.Repeat("0", 128));
        for (int i = 0; i < 20; i++) Route(table, key).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a.b", 0)]
    [InlineData("#", 1)]
    [InlineData("#.a#.#", 2)]
    [InlineData("#.#.#", 3)]
    public void Only_whole_words_count_as_hashes(string pattern, int count) => TopicTable.CountHashes(pattern).ShouldBe(count);

    private static Binding Bind(string pattern, int queue) => new("x", new Destination(Queues[queue]), pattern, ArgumentTable.Empty);

    private static List<int> Route(IBindingTable table, string key)
    {
        var routes = new RouteSet(1);
        Message message = TestMessages.Create(key);
        table.Match(message.RoutingKey, message, routes);
        message.Release();
        return [.. routes.Queues.Select(q => Array.IndexOf(Queues, q))];
    }

    private static string[] Words(string key) => key.Length == 0 ? [] : key.Split('.');

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> words)
    {
        if (pattern.IsEmpty) return words.IsEmpty;
        if (pattern[0] == "#") return Matches(pattern[1..], words) || (!words.IsEmpty && Matches(pattern, words[1..]));
        return !words.IsEmpty && (pattern[0] == "*" || pattern[0] == words[0]) && Matches(pattern[1..], words[1..]);
    }
}
