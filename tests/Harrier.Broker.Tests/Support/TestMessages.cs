using System.Runtime.CompilerServices;
using System.Text;
using Harrier.Broker.Messages;
using Harrier.TestSupport;

namespace Harrier.Broker.Tests.Support;

/// <summary>Makes messages, and looks at how many hold them.</summary>
internal static class TestMessages
{
    public static Message Create(string routingKey = "", string exchange = "", int bodySize = 0, params Argument[] headers) =>
        Create(Encoding.UTF8.GetBytes(routingKey), exchange, bodySize, headers);

    public static Message Create(ReadOnlySpan<byte> routingKey, string exchange = "", int bodySize = 0, params Argument[] headers)
    {
        Message message = Message.Rent(new HeadersFormat(headers), Encoding.UTF8.GetBytes(exchange), routingKey, [], bodySize);
        message.AppendBody(new byte[bodySize], bodySize);
        return message;
    }

    /// <summary>How many references are held.</summary>
    public static int References(Message message) => ReferencesOf(message);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_references")]
    private static extern ref int ReferencesOf(Message message);

    /// <summary>Headers that stand beside the message instead of in its bytes.</summary>
    private sealed class HeadersFormat(Argument[] headers) : PlainFormat
    {
        public override bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
        {
            foreach (Argument header in headers)
            {
                if (!name.SequenceEqual(Encoding.UTF8.GetBytes(header.Name))) continue;
                ArgumentValue v = header.Value;
                value = v.Kind is ArgumentKind.Float or ArgumentKind.Double
                    ? new HeaderValue(v.Kind, 0, v.Real, [])
                    : new HeaderValue(v.Kind, v.Integer, 0, v.Content);
                return true;
            }
            value = default;
            return false;
        }
    }
}
