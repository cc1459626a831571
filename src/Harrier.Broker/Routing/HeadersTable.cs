using System.Collections.Immutable;
using System.Text;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;

namespace Harrier.Broker.Routing;

/// <summary>Matches message headers against binding arguments (behaviour note 50). Looks at every binding: there is nothing to index by.</summary>
internal sealed class HeadersTable(ImmutableArray<HeadersTable.Rule> rules) : IBindingTable
{
    public static readonly HeadersTable Empty = new([]);

    /// <summary>The argument that says how many headers must match.</summary>
    public const string MatchArgument = "x-match";

    public bool MatchesByKey => false;

    public IBindingTable With(Binding binding) => new HeadersTable(rules.Add(Rule.Of(binding)));

    public IBindingTable Without(Binding binding) => new HeadersTable(rules.RemoveAll(r => r.Binding == binding));

    public void Match(Utf8Name routingKey, Message message, RouteSet routes)
    {
        routes.IsForThisMessageOnly = true;
        foreach (Rule rule in rules)
            if (rule.Matches(message)) routes.Add(rule.Binding.Destination);
    }

    /// <summary>Refuses a value of x-match that means nothing.</summary>
    public static void Validate(ArgumentTable arguments)
    {
        if (!arguments.TryGet(MatchArgument, out ArgumentValue match)) return;
        if (match.Kind != ArgumentKind.Text) throw ErrorCatalogue.InvalidHeadersMatchType(match.TypeName, match.Text);
        if (match.Text is not ("all" or "any" or "all-with-x" or "any-with-x")) throw ErrorCatalogue.InvalidHeadersMatch(match.Text);
    }

    /// <summary>A binding with the headers that count.</summary>
    internal sealed record Rule(Binding Binding, bool NeedsAll, ImmutableArray<Rule.Header> Headers)
    {
        public static Rule Of(Binding binding)
        {
            string match = binding.Arguments.TryGetText(MatchArgument, out string? text) ? text : "all";
            bool withX = match.EndsWith("-with-x", StringComparison.Ordinal);
            ImmutableArray<Header> headers = [.. binding.Arguments
                .Where(a => a.Name != MatchArgument && (withX || !a.Name.StartsWith("x-", StringComparison.Ordinal)))
                .Select(a => new Header(Encoding.UTF8.GetBytes(a.Name), a.Value))];
            return new Rule(binding, match.StartsWith("all", StringComparison.Ordinal), headers);
        }

        /// <summary>With no headers to match, "all" of none is true and "any" of none is false.</summary>
        public bool Matches(Message message)
        {
            foreach (Header header in Headers)
            {
                bool found = message.Format.TryFindHeader(message.Properties, header.Name, out HeaderValue value) && value.Matches(header.Value);
                if (found != NeedsAll) return found;
            }
            return NeedsAll;
        }

        internal readonly record struct Header(byte[] Name, ArgumentValue Value);
    }
}
