using System.Globalization;
using Harrier.Amqp.Conversion;
using Harrier.Broker;

namespace Harrier.Amqp.V10.Management;

/// <summary>A request that is answered with a refusal. Made only by <see cref="RequestErrors"/>.</summary>
internal sealed class RequestRefusedException(int status, string text) : Exception(text)
{
    /// <summary>The status, as HTTP has them.</summary>
    public int Status { get; } = status;
}

/// <summary>What requests are refused for, with RabbitMQ's texts where it has one (behaviour note 114).</summary>
internal static class RequestErrors
{
    public static RequestRefusedException BadUri(string uri) => new(400, $"failed to normalize URI '{uri}': invalid_uri \"{uri}\"");

    public static RequestRefusedException BadName() => new(400, "a name is percent-encoded UTF-8");

    public static RequestRefusedException LongName(int bytesMax) =>
        new(400, string.Create(CultureInfo.InvariantCulture, $"a name or binding key has more than {bytesMax} bytes"));

    public static RequestRefusedException NoUri(string path) => new(404, $"there is no '{path}'");

    public static RequestRefusedException NoMethod(string method, string path) => new(405, $"there is no {method} of '{path}'");

    public static RequestRefusedException NoMap() => new(400, "the body of this request is a map");

    public static RequestRefusedException BadProperty(string kind, Value10 key, Value10 value) =>
        new(400, $"bad {kind} property {ErlangText10.Pair(key, value)}");

    public static RequestRefusedException BadBindingField(Value10 key, Value10 value) => new(400, $"bad binding field {ErlangText10.Pair(key, value)}");

    public static RequestRefusedException MissingBindingField(string field) => new(400, $"missing '{field}' in binding");

    public static RequestRefusedException MissingParameter(string parameter) => new(400, $"missing {parameter} in query");

    public static RequestRefusedException MissingDestination(RequestTarget target) =>
        new(400, $"missing 'dste' or 'dstq' in query: {ErlangText10.Map(target.Parameters)}");

    public static RequestRefusedException BadLocation(string segment) => new(400, $"bad binding path segment '{segment}'");

    public static RequestRefusedException UnsupportedArgument(Value10 key, Value10 value) => new(400, $"unsupported argument {ErlangText10.Pair(key, value)}");

    public static RequestRefusedException TooManyArguments(int max) => new(400, $"more than {max} arguments");

    public static RequestRefusedException EmptyQueueName() => new(400, "declare queue with empty name not allowed");

    public static RequestRefusedException LineBreak(string name) => new(400, $"Bad name '{name}': line feed and carriage return characters not allowed");

    public static RequestRefusedException Reserved(string resource) => new(403, $"{resource} starts with reserved prefix 'amq.'");

    public static RequestRefusedException DefaultExchange() => new(403, ErrorCatalogue.DefaultExchange().Message);

    public static RequestRefusedException NotFound(string resource) => new(404, $"{resource} not found");

    public static RequestRefusedException Conflict(BrokerException e) => new(409, e.Message);

    public static RequestRefusedException Bad(BrokerException e) => new(400, e.Message);

    public static RequestRefusedException NoToken() => new(400, "the body of this request is a binary with the token");

    public static RequestRefusedException TokenRefused() => new(401, ErrorCatalogue.SecretRefused().Message);

    public static RequestRefusedException LongReply(int bytesMax) => new(400, $"the reply would have more than {bytesMax} bytes");
}
