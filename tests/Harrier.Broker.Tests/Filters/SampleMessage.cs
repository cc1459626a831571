using System.Text;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.TestSupport;
using Shouldly;

namespace Harrier.Broker.Tests.Filters;

/// <summary>What filters can say of a message.</summary>
internal enum Truth
{
    False,
    Unknown,
    True,
}

/// <summary>Makes messages whose headers and properties stand beside them, and asks filters about them.</summary>
internal static class SampleMessage
{
    /// <summary>Beyond the full second of every timestamp.</summary>
    private const int SubsecondMs = 460;

    /// <summary>A message with something of every type, and the headers t, f and u for the truth values.</summary>
    public static Message Create()
    {
        Message message = Create(
            [
                ("t", ArgumentValue.Of(true)),
                ("f", ArgumentValue.Of(false)),
                ("nothing", default),
                ("size", ArgumentValue.OfInteger(ArgumentKind.UnsignedShort, 10)),
                ("big", ArgumentValue.Of(long.MaxValue)),
                ("least", ArgumentValue.Of(long.MinValue)),
                ("price", ArgumentValue.OfReal(ArgumentKind.Double, 2.5)),
                ("nan", ArgumentValue.OfReal(ArgumentKind.Double, double.NaN)),
                ("color", ArgumentValue.Of("red")),
                ("name", ArgumentValue.Of("Zoë 100% 鷹")),
                ("empty", ArgumentValue.Of("")),
                ("order-status", ArgumentValue.Of("new")),
                ("octets", ArgumentValue.OfBytes(ArgumentKind.Bytes, [0, 0x0A, 0xFF])),
                ("at", ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1_700_000_000)),
                ("list", ArgumentValue.Of([ArgumentValue.Of(1)])),
            ],
            [
                (MessageProperty.MessageId, ArgumentValue.Of("m-1")),
                (MessageProperty.UserId, ArgumentValue.OfBytes(ArgumentKind.Bytes, "Bob"u8)),
                (MessageProperty.To, ArgumentValue.Of("/queues/q")),
                (MessageProperty.Subject, ArgumentValue.Of("Order.Created")),
                (MessageProperty.CorrelationId, ArgumentValue.Of(77)),
                (MessageProperty.ContentType, ArgumentValue.Of("application/json")),
                (MessageProperty.CreationTime, ArgumentValue.OfInteger(ArgumentKind.Timestamp, 1_753_365_622)),
                (MessageProperty.GroupId, ArgumentValue.Of("Group A")),
                (MessageProperty.GroupSequence, ArgumentValue.OfInteger(ArgumentKind.UnsignedInt, 9)),
            ]);
        message.IsPersistent = true;
        message.ExpiresAtMs = 5_000;
        return message;
    }

    public static Message Create((string Name, ArgumentValue Value)[] headers, params (MessageProperty Property, ArgumentValue Value)[] properties) =>
        Message.Rent(new BesideFormat(headers, properties), "x"u8, "k"u8, [], 0);

    /// <summary>What an expression says: the unknown matches neither as it is nor with NOT in front.</summary>
    public static Truth Ask(Func<string, IMessageFilter> create, string expression, Message message)
    {
        bool isTrue = create(expression).Matches(message), isFalse = create($"NOT ({expression})").Matches(message);
        (isTrue && isFalse).ShouldBeFalse(expression);
        return isTrue ? Truth.True : isFalse ? Truth.False : Truth.Unknown;
    }

    /// <summary>Allocates nothing when it is asked.</summary>
    private sealed class BesideFormat : PlainFormat
    {
        private readonly (byte[] Name, ArgumentValue Value)[] _headers;
        private readonly (MessageProperty Property, ArgumentValue Value)[] _properties;

        public BesideFormat((string Name, ArgumentValue Value)[] headers, (MessageProperty Property, ArgumentValue Value)[] properties)
        {
            _headers = [.. headers.Select(header => (Encoding.UTF8.GetBytes(header.Name), header.Value))];
            _properties = properties;
        }

        public override bool TryFindHeader(ReadOnlySpan<byte> properties, ReadOnlySpan<byte> name, out HeaderValue value)
        {
            foreach ((byte[] header, ArgumentValue found) in _headers)
            {
                if (name.SequenceEqual(header)) return Found(found, out value);
            }
            value = default;
            return false;
        }

        public override bool TryFindProperty(ReadOnlySpan<byte> properties, MessageProperty property, out HeaderValue value)
        {
            foreach ((MessageProperty there, ArgumentValue found) in _properties)
            {
                if (there == property) return Found(found, out value);
            }
            value = default;
            return false;
        }

        private static bool Found(ArgumentValue found, out HeaderValue value)
        {
            value = found.Kind is ArgumentKind.Float or ArgumentKind.Double
                ? new HeaderValue(found.Kind, 0, found.Real, [])
                : new HeaderValue(found.Kind, found.Integer, 0, found.Content) { SubsecondMs = SubsecondMs };
            return true;
        }
    }
}
