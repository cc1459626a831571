using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Harrier.Broker.Messages;

namespace Harrier.Amqp.V10.Management;

/// <summary>Where a request goes: the parts of its path, as they stand, and the parameters of its query. What is no such URI is refused with 400.</summary>
internal sealed class RequestTarget
{
    // Three names of the longest size, every byte of them encoded, and as much again.
    private const int SizeMax = 4096;

    private static readonly SearchValues<byte> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%?"u8);

    private readonly Dictionary<string, string> _parameters = [];

    private RequestTarget(string path, string query)
    {
        Path = path;
        Segments = path[1..].Split('/');
        if (query.Length == 0) return;
        foreach (string parameter in query.Split('&'))
        {
            string[] parts = parameter.Split('=', 2);
            _parameters[parts[0]] = parts.Length == 2 ? parts[1] : "";
        }
    }

    /// <summary>The path as it came.</summary>
    public string Path { get; }

    /// <summary>What stands between the slashes of the path, still encoded.</summary>
    public string[] Segments { get; }

    /// <summary>The parameters of the query, decoded.</summary>
    public IEnumerable<(string Name, Utf8Name Value)> Parameters => _parameters.Keys.Select(name => (name, Parameter(name)!.Value));

    /// <summary>Reads the UTF-8 of a URI's path and query.</summary>
    public static RequestTarget Parse(ReadOnlySpan<byte> uri)
    {
        if (uri.Length is 0 or > SizeMax || uri[0] != '/' || uri.ContainsAnyExcept(Allowed))
            throw RequestErrors.BadUri(Encoding.UTF8.GetString(uri[..Math.Min(uri.Length, Utf8Name.SizeMax)]));
        int query = uri.IndexOf((byte)'?');
        return query < 0
            ? new RequestTarget(Encoding.ASCII.GetString(uri), "")
            : new RequestTarget(Encoding.ASCII.GetString(uri[..query]), Encoding.ASCII.GetString(uri[(query + 1)..]));
    }

    /// <summary>The name that a part of a path encodes.</summary>
    public static Utf8Name Decode(string segment)
    {
        if (!PercentEncoding.TryDecode(Encoding.ASCII.GetBytes(segment), out byte[] octets)) throw RequestErrors.BadName();
        return NameOf(octets);
    }

    /// <summary>The name in a string.</summary>
    public static Utf8Name NameOf(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > Utf8Name.SizeMax) throw RequestErrors.LongName(Utf8Name.SizeMax);
        return Utf8.IsValid(octets) ? new Utf8Name(octets) : throw RequestErrors.BadName();
    }

    /// <summary>The name that a parameter of the query has as its value, in which a plus sign is a blank; null when the parameter is absent.</summary>
    public Utf8Name? Parameter(string name) => _parameters.TryGetValue(name, out string? value) ? Decode(value.Replace('+', ' ')) : default(Utf8Name?);
}
