using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Routing;

/// <summary>What of a message decides where an x-consistent-hash exchange sends it: a header, a property, or the routing key.</summary>
internal sealed class HashInput
{
    /// <summary>The argument that names a header.</summary>
    public const string HeaderArgument = "hash-header";

    /// <summary>The argument that names a property.</summary>
    public const string PropertyArgument = "hash-property";

    // As LavinMQ calls them. Its algorithms differ in what a change of the bindings moves; ours moves the least in either case.
    private const string LavinHeaderArgument = "x-hash-on";
    private const string LavinAlgorithmArgument = "x-algorithm";

    private readonly byte[]? _header;
    private readonly MessageProperty? _property;

    private HashInput(byte[]? header, MessageProperty? property)
    {
        _header = header;
        _property = property;
    }

    /// <summary>What an exchange with these arguments, which are valid, looks at.</summary>
    public static HashInput Of(ArgumentTable arguments)
    {
        if (arguments.TryGetText(HeaderArgument, out string? text) || arguments.TryGetText(LavinHeaderArgument, out text))
            return new HashInput(Encoding.UTF8.GetBytes(text), null);
        return new HashInput(null, arguments.TryGetText(PropertyArgument, out text) ? PropertyOf(text) : null);
    }

    /// <summary>Refuses arguments that mean nothing.</summary>
    public static void Validate(ArgumentTable arguments, string exchange)
    {
        string? header = Text(arguments, HeaderArgument, exchange) ?? Text(arguments, LavinHeaderArgument, exchange);
        string? property = Text(arguments, PropertyArgument, exchange);
        if (header is not null && property is not null) throw ErrorCatalogue.HashHeaderAndProperty();
        if (property is not null && PropertyOf(property) is null) throw ErrorCatalogue.UnsupportedHashProperty(property);
        if (Text(arguments, LavinAlgorithmArgument, exchange) is { } algorithm && algorithm is not ("ring" or "jump"))
            throw ErrorCatalogue.UnsupportedHashAlgorithm(algorithm);
    }

    /// <summary>The hash of a message; of nothing when it lacks what is looked at, so that all such messages go to one place.</summary>
    public ulong Hash(Utf8Name routingKey, Message message, RouteSet routes)
    {
        if (_header is null && _property is null) return StableHash.Of(routingKey.Span);
        routes.IsForThisMessageOnly = true;
        bool isFound = _property is { } property
            ? message.Format.TryFindProperty(message.Properties, property, out HeaderValue value)
            : message.Format.TryFindHeader(message.Properties, _header, out value);
        return isFound ? value.ToStableHash() : StableHash.Of(default(ReadOnlySpan<byte>));
    }

    private static MessageProperty? PropertyOf(string name) => name switch
    {
        "message_id" => MessageProperty.MessageId,
        "correlation_id" => MessageProperty.CorrelationId,
        "timestamp" => MessageProperty.Timestamp,
        _ => null,
    };

    private static string? Text(ArgumentTable arguments, string name, string exchange)
    {
        if (!arguments.TryGet(name, out ArgumentValue value)) return null;
        return value.Kind == ArgumentKind.Text ? value.Text : throw ErrorCatalogue.InvalidArgumentType(value.TypeName, name, exchange);
    }
}
