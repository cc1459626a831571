using System.Collections.Immutable;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>
/// Matches dotted routing keys against patterns in which <c>*</c> stands for one word and <c>#</c> for any number (behaviour note 49):
/// an empty key has no words, "a..b" has an empty one in the middle. A trie of words, each node immutable.
/// </summary>
internal sealed class TopicTable(TopicTable.Node root) : IBindingTable
{
    public static readonly TopicTable Empty = new(Node.Empty);

    /// <summary>Each <c>#</c> multiplies the ways through the trie, so a binding key has at most this many (as RabbitMQ since 4.3.5).</summary>
    public const int HashesMax = 2;

    private const int WordsMax = Utf8Name.SizeMax + 1;

    public bool MatchesByKey => true;

    public IBindingTable With(Binding binding) => new TopicTable(root.With(binding, Words(binding.RoutingKey), 0));

    public IBindingTable Without(Binding binding) => new TopicTable(root.Without(binding, Words(binding.RoutingKey), 0));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        // The words are slices of the message's own buffer: finding them copies nothing.
        Span<Range> words = stackalloc Range[WordsMax];
        int count = Split(routingKey.Span, words);
        Match(root, routingKey, words[..count], routes);
    }

    /// <summary>Refuses a binding key with too many <c>#</c> words.</summary>
    public static void Validate(Utf8Name bindingKey)
    {
        if (CountHashes(bindingKey) is > HashesMax and int count) throw ErrorCatalogue.TooManyHashes(bindingKey.ToString(), count);
    }

    /// <summary>How many <c>#</c> words a binding key has.</summary>
    public static int CountHashes(Utf8Name bindingKey) => Words(bindingKey).Count(w => w.Span.SequenceEqual("#"u8));

    private static void Match(Node node, Utf8Name key, ReadOnlySpan<Range> words, RouteSet routes)
    {
        if (node.Hash is { } hash)
        {
            for (int skipped = 0; skipped <= words.Length; skipped++) Match(hash, key, words[skipped..], routes);
        }
        if (words.IsEmpty)
        {
            routes.Add(node.Bindings);
            return;
        }
        if (node.Children.TryGetValue(key.Slice(words[0]), out Node? child)) Match(child, key, words[1..], routes);
        if (node.Star is { } star) Match(star, key, words[1..], routes);
    }

    private static int Split(ReadOnlySpan<byte> key, Span<Range> words)
    {
        if (key.IsEmpty) return 0;
        int count = 0, start = 0;
        for (int i = 0; i <= key.Length; i++)
        {
            if (i < key.Length && key[i] != '.') continue;
            words[count++] = new Range(start, i);
            start = i + 1;
        }
        return count;
    }

    private static Utf8Name[] Words(Utf8Name bindingKey)
    {
        var ranges = new Range[WordsMax];
        int count = Split(bindingKey.Span, ranges);
        var words = new Utf8Name[count];
        for (int i = 0; i < count; i++) words[i] = bindingKey.Slice(ranges[i]);
        return words;
    }

    /// <summary>The bindings whose keys end here, and where the next word leads.</summary>
    internal sealed record Node(ImmutableDictionary<Utf8Name, Node> Children, Node? Star, Node? Hash, ImmutableArray<Binding> Bindings)
    {
        public static readonly Node Empty = new(ImmutableDictionary<Utf8Name, Node>.Empty, null, null, []);

        private bool IsEmpty => Children.Count == 0 && Star is null && Hash is null && Bindings.IsEmpty;

        public Node With(Binding binding, Utf8Name[] words, int at) => at == words.Length
            ? this with { Bindings = Bindings.Add(binding) }
            : Replace(words[at], (Child(words[at]) ?? Empty).With(binding, words, at + 1));

        public Node Without(Binding binding, Utf8Name[] words, int at)
        {
            if (at == words.Length) return this with { Bindings = Bindings.Remove(binding) };
            Node? child = Child(words[at])?.Without(binding, words, at + 1);
            return Replace(words[at], child is { IsEmpty: false } ? child : null);
        }

        private Node? Child(Utf8Name word)
        {
            if (IsStar(word)) return Star;
            if (IsHash(word)) return Hash;
            return Children.GetValueOrDefault(word);
        }

        private Node Replace(Utf8Name word, Node? child)
        {
            if (IsStar(word)) return this with { Star = child };
            if (IsHash(word)) return this with { Hash = child };
            return this with { Children = child is null ? Children.Remove(word) : Children.SetItem(word, child) };
        }

        private static bool IsStar(Utf8Name word) => word.Span.SequenceEqual("*"u8);

        private static bool IsHash(Utf8Name word) => word.Span.SequenceEqual("#"u8);
    }
}
