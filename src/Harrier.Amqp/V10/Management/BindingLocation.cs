using System.Buffers.Text;
using System.Security.Cryptography;
using Harrier.Broker.Messages;
using Harrier.Broker.Topology;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Management;

/// <summary>What names a binding in a path: "src=e1;dstq=q2;key=my-key;args=", names percent-encoded, the arguments as a hash or nothing.</summary>
/// <param name="ToQueue">Whether the destination is a queue, not an exchange.</param>
/// <param name="ArgumentsHash">Empty for no arguments. Only the broker knows how it is made.</param>
internal sealed record BindingLocation(Utf8Name Source, Utf8Name Destination, bool ToQueue, Utf8Name RoutingKey, string ArgumentsHash)
{
    // Enough that no two bindings that differ only in their arguments share it, whoever chooses them.
    private const int HashBytes = 15;

    public static BindingLocation Of(Binding binding) =>
        new(binding.Source, binding.Destination.Name, binding.Destination.IsQueue, binding.RoutingKey, Hash(binding.Arguments));

    /// <summary>Reads a part of a path; refuses with 400 what is no such thing.</summary>
    public static BindingLocation Parse(string segment)
    {
        string[] parts = segment.Split(';');
        bool toQueue = parts.Length == 4 && parts[1].StartsWith("dstq=", StringComparison.Ordinal);
        if (parts.Length != 4 || After("src=", parts[0]) is not { Length: > 0 } source
            || After(toQueue ? "dstq=" : "dste=", parts[1]) is not { Length: > 0 } destination
            || After("key=", parts[2]) is not { } key || After("args=", parts[3]) is not { } hash)
            throw RequestErrors.BadLocation(segment);
        return new BindingLocation(RequestTarget.Decode(source), RequestTarget.Decode(destination), toQueue, RequestTarget.Decode(key), hash);
    }

    /// <summary>The path.</summary>
    public override string ToString() =>
        $"/bindings/src={PercentEncoding.Encode(Source.Span)};dst{(ToQueue ? 'q' : 'e')}={PercentEncoding.Encode(Destination.Span)}" +
        $";key={PercentEncoding.Encode(RoutingKey.Span)};args={ArgumentsHash}";

    private static string? After(string name, string part) => part.StartsWith(name, StringComparison.Ordinal) ? part[name.Length..] : null;

    private static string Hash(ArgumentTable arguments)
    {
        if (arguments.Count == 0) return "";
        var writer = new ValueWriter(stackalloc byte[512]);
        Arguments10.Write(ref writer, arguments);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(writer.Written, hash);
        writer.Dispose();
        return Base64Url.EncodeToString(hash[..HashBytes]);
    }
}
