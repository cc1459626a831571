using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters;

/// <summary>Several filters of a link: "a message will pass through a filter-set if and only if it passes through each" (1.0 part 3, section 3.5.8).</summary>
public sealed class FilterSet : IMessageFilter
{
    private readonly IMessageFilter[] _filters;

    /// <summary>Throws <see cref="FilterException"/> when there are more than <see cref="FilterLimits.FiltersMax"/>; none let everything pass.</summary>
    public FilterSet(params IReadOnlyList<IMessageFilter> filters)
    {
        if (filters.Count > FilterLimits.FiltersMax) throw new FilterException($"{filters.Count} filters, but {FilterLimits.FiltersMax} are allowed");
        _filters = [.. filters];
        Text = string.Join("; ", filters.Select(filter => filter.Text));
    }

    public string Text { get; }

    public bool Matches(Message message)
    {
        foreach (IMessageFilter filter in _filters)
        {
            if (!filter.Matches(message)) return false;
        }
        return true;
    }
}
