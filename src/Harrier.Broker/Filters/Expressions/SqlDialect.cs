using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>SQL filter expressions as RabbitMQ understands them (AMQP Filter Expressions 1.0, section 6).</summary>
internal sealed class SqlDialect : Dialect
{
    public static readonly SqlDialect Instance = new();

    public override bool HasJavaNumbers => false;

    public override bool QuotesNames => false;

    public override bool HasBetween => false;

    public override ArithmeticOperator Division => ArithmeticOperator.DivideExactly;

    public override Expression? Find(string name)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0) return IsReserved(name) ? null : new HeaderField(name);
        string field = name[(dot + 1)..];
        return name[..dot] switch
        {
            "header" or "h" => FindInHeader(field),
            "properties" or "p" => PropertyNames.FindInExpression(field) is { } property ? new PropertyField(property) : null,
            "application_properties" or "a" => field.Length > 0 ? new HeaderField(field) : null,
            _ => null, // annotations and the footer are not looked at
        };
    }

    private static Expression? FindInHeader(string field) => field switch
    {
        "priority" => new PriorityField(),
        "durable" => new DurableField(),
        _ => null,
    };

    // Functions of the draft, which nobody should take for application properties.
    private static bool IsReserved(string name) =>
        name.ToUpperInvariant() is "EXISTS" or "LOWER" or "UPPER" or "LEFT" or "RIGHT" or "SUBSTRING" or "UTC" or "DATE";
}
