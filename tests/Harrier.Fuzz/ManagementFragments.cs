using System.Text;
using Harrier.Protocol.Amqp10;

namespace Harrier.Fuzz;

/// <summary>Pieces of requests to the management node that chance would not come up with.</summary>
internal static class ManagementFragments
{
    private static readonly string[] Texts =
    [
        "GET", "PUT", "POST", "DELETE", "$me", "/queues/q", "/queues/q/messages", "/queues/amq.q", "/queues/%F0%9F%99%88", "/queues/%2", "/exchanges/x", "/exchanges/", "/bindings",
        "/bindings?src=amq.direct&dstq=q&key=", "/bindings?src=x&dste=x&key=%41+", "/bindings/src=amq.direct;dstq=q;key=;args=", "/auth/tokens", "durable", "exclusive",
        "auto_delete", "internal", "arguments", "type", "topic", "x-recent-history", "x-consistent-hash", "x-queue-type", "quorum", "x-max-length", "x-delayed-type", "source", "destination_queue",
        "destination_exchange", "binding_key", "amq.direct", "amq.headers", "x-match", "all", "q",
    ];

    /// <summary>Texts as strings, the short ones as keys of true and of an empty map as well.</summary>
    public static IReadOnlyList<byte[]> Words { get; } =
    [
        .. Texts.Select(Text),
        .. Texts.Where(t => t[0] != '/').Select(t => (byte[])[.. Text(t), (byte)FormatCode.True]),
        .. Texts.Where(t => t[0] != '/').Select(t => (byte[])[.. Text(t), (byte)FormatCode.Map8, 1, 0]),
    ];

    /// <summary>Attaches of a pair: handle 6 takes requests, handle 7 gives replies.</summary>
    public static IReadOnlyList<byte[]> Attaches { get; } = [Attach(6, Role.Sender), Attach(7, Role.Receiver)];

    /// <summary>Whole requests.</summary>
    public static IReadOnlyList<byte[]> Requests { get; } =
    [
        ManagementRequestTarget.Message("PUT", "/queues/q", Map("durable", new[] { (byte)FormatCode.False })),
        ManagementRequestTarget.Message("GET", "/queues/q", null),
        ManagementRequestTarget.Message("DELETE", "/queues/q", null),
        ManagementRequestTarget.Message("PUT", "/exchanges/x", Map("type", Text("topic"))),
        ManagementRequestTarget.Message("POST", "/bindings", Map("source", Text("amq.direct"), "destination_queue", Text("q"), "binding_key", Text("k"))),
        ManagementRequestTarget.Message("GET", "/bindings?src=amq.direct&dstq=q&key=k", null),
        ManagementRequestTarget.Message("DELETE", "/bindings/src=amq.direct;dstq=q;key=k;args=", null),
    ];

    private static byte[] Attach(uint handle, Role role) => Fragments10.Body(new Attach
    {
        Name = "pair"u8,
        Handle = handle,
        Role = role,
        Source = Fragments10.Body(new Source { Address = Text("/management") }),
        Target = Fragments10.Body(new Target { Address = Text("/management") }),
        InitialDeliveryCount = role == Role.Sender ? 0 : null,
        Properties = [(byte)FormatCode.Map8, 10, 2, (byte)FormatCode.Symbol8, 6, .. "paired"u8, (byte)FormatCode.True],
    });

    private static byte[] Map(params object[] entries)
    {
        byte[] items = [.. entries.SelectMany(e => e as byte[] ?? Text((string)e))];
        return [(byte)FormatCode.Map8, (byte)(items.Length + 1), (byte)entries.Length, .. items];
    }

    private static byte[] Text(string text) => [(byte)FormatCode.String8, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
