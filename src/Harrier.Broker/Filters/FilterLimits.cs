namespace Harrier.Broker.Filters;

/// <summary>How large a filter may be: it is asked about every message, and whoever wrote it is not to be trusted.</summary>
public static class FilterLimits
{
    /// <summary>Characters of the longest expression.</summary>
    public const int ExpressionLengthMax = 32 * 1024;

    /// <summary>Names, literals, operators and parentheses of an expression.</summary>
    public const int TokensMax = 4096;

    /// <summary>Parentheses, signs, NOTs and arithmetic operators inside of each other: parser and evaluator are recursive.</summary>
    public const int DepthMax = 100;

    /// <summary>Values in the list of one IN.</summary>
    public const int ListItemsMax = 1024;

    /// <summary>Octets of all LIKE patterns of an expression together: at worst each is compared with each octet of a text.</summary>
    public const int PatternsSizeMax = 2048;

    /// <summary>Pairs of a properties filter (RabbitMQ's limit).</summary>
    public const int FieldsMax = 16;

    /// <summary>Filters of one link, which must all match.</summary>
    public const int FiltersMax = 16;
}
