using System.Text;
using RabbitMQ.Client;

namespace Harrier.Interop.Tests;

/// <summary>One entry of the header x-death.</summary>
internal sealed record Death(long Count, string Reason, string Queue, string Exchange, string RoutingKeys, string? OriginalExpiration, DateTimeOffset Time);

/// <summary>Reads what a broker writes into the headers of a dead letter.</summary>
internal static class Deaths
{
    private static readonly HashSet<string> Fields =
        ["count", "reason", "queue", "exchange", "routing-keys", "original-expiration", "time"];

    /// <summary>The entries of x-death, the most recent first.</summary>
    public static Death[] Of(IReadOnlyBasicProperties properties) =>
        Header(properties, "x-death") is IList<object?> deaths ? [.. deaths.Select(death => Read((IDictionary<string, object?>)death!))] : [];

    public static string? Text(IReadOnlyBasicProperties properties, string header) => Text(Header(properties, header));

    public static object? Header(IReadOnlyBasicProperties properties, string header) => properties.Headers?.TryGetValue(header, out var value) == true ? value : null;

    /// <summary>The headers x-first-death-*, as reason, queue and exchange.</summary>
    public static (string? Reason, string? Queue, string? Exchange) First(IReadOnlyBasicProperties properties) =>
        (Text(properties, "x-first-death-reason"), Text(properties, "x-first-death-queue"), Text(properties, "x-first-death-exchange"));

    public static (string? Reason, string? Queue, string? Exchange) Last(IReadOnlyBasicProperties properties) =>
        (Text(properties, "x-last-death-reason"), Text(properties, "x-last-death-queue"), Text(properties, "x-last-death-exchange"));

    private static Death Read(IDictionary<string, object?> death)
    {
        death.Keys.ShouldBeSubsetOf(Fields);
        return new Death(
            death["count"].ShouldBeOfType<long>(),
            Text(death["reason"])!,
            Text(death["queue"])!,
            Text(death["exchange"])!,
            string.Join(",", death["routing-keys"].ShouldBeAssignableTo<IList<object?>>()!.Select(Text)),
            death.TryGetValue("original-expiration", out var expiration) ? Text(expiration) : null,
            DateTimeOffset.FromUnixTimeSeconds(death["time"].ShouldBeOfType<AmqpTimestamp>().UnixTime));
    }

    private static string? Text(object? value) => value is null ? null : Encoding.UTF8.GetString(value.ShouldBeOfType<byte[]>());
}
