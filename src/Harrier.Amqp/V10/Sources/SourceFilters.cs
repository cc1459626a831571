using System.Text;
using Harrier.Amqp.Conversion;
using Harrier.Broker.Filters;
using Harrier.Broker.Messages;
using Harrier.Protocol.Amqp10;

namespace Harrier.Amqp.V10.Sources;

/// <summary>What a source's filters ask for (1.0 part 3, section 3.5.8), as far as they are understood: the others are left out of the answer (behaviour note 115).</summary>
/// <param name="Filter">Which messages pass; null for all.</param>
/// <param name="BindingKey">The key with which to bind to an exchange, or null.</param>
/// <param name="Encoded">The encoded map of those that are understood, or empty.</param>
internal sealed record SourceFilters(IMessageFilter? Filter, Utf8Name? BindingKey, byte[] Encoded)
{
    public static readonly SourceFilters None = new(null, null, []);

    /// <summary>What links from queues offer, encoded: properties filters and SQL filters (AMQP Filter Expressions 1.0). RabbitMQ offers them there, and not in its open.</summary>
    public static readonly byte[] Capabilities = Values10.Symbols("AMQP_FILTEX_PROP_V1_0", "AMQP_FILTEX_SQL_V1_0");

    /// <summary>Reads an encoded filter-set, or default for none. One that is understood and malformed throws <c>amqp:invalid-field</c>.</summary>
    /// <param name="encoded">The map.</param>
    /// <param name="bindsExchange">Whether the source is an exchange: only there a binding key says anything.</param>
    public static SourceFilters Read(ReadOnlySpan<byte> encoded, bool bindsExchange = false)
    {
        if (encoded.IsEmpty) return None;
        try
        {
            return ReadMap(encoded, bindsExchange);
        }
        catch (Exception e) when (e is DecodeException or FilterException)
        {
            throw AmqpErrors.InvalidField(AmqpErrorScope.Link, $"bad filter: {e.Message}");
        }
    }

    private static SourceFilters ReadMap(ReadOnlySpan<byte> encoded, bool bindsExchange)
    {
        var filters = new List<IMessageFilter>();
        Utf8Name? key = null;
        var writer = new ValueWriter(stackalloc byte[256]);
        int map = writer.BeginMap(), understood = 0;
        for (int left = new ValueReader(encoded).ReadMap(out ValueReader items) / 2; left > 0; left--)
        {
            ReadOnlySpan<byte> name = items.ReadValue(), value = items.ReadValue();
            if (value[0] != (byte)FormatCode.Described) continue;
            var reader = new ValueReader(value[1..]);
            ulong code = ReadCode(ref reader);
            if (bindsExchange && code is Descriptors.LegacyDirectBinding or Descriptors.LegacyTopicBinding) key = ReadKey(ref reader);
            else if (ReadFilter(code, ref reader) is { } filter) filters.Add(filter);
            else continue;
            writer.WriteRaw(name);
            writer.WriteRaw(value);
            understood += 2;
        }
        writer.End(map, understood);
        byte[] effective = understood == 0 ? [] : writer.Written.ToArray();
        writer.Dispose();
        return new SourceFilters(filters.Count switch { 0 => null, 1 => filters[0], _ => new FilterSet(filters) }, key, effective);
    }

    private static ulong ReadCode(ref ValueReader reader)
    {
        if (reader.Next is not (FormatCode.Symbol8 or FormatCode.Symbol32)) return reader.ReadULong();
        ReadOnlySpan<byte> symbol = reader.ReadSymbol();
        return symbol.SequenceEqual("sql-filter"u8) ? Descriptors.SqlFilter : Descriptors.Find(symbol); // RabbitMQ's clients leave the amqp: out
    }

    private static IMessageFilter? ReadFilter(ulong code, ref ValueReader reader) => code switch
    {
        Descriptors.SelectorFilter => new MessageSelector(Encoding.UTF8.GetString(reader.ReadString())),
        Descriptors.SqlFilter => new SqlFilter(Encoding.UTF8.GetString(reader.ReadString())),
        Descriptors.PropertiesFilter => new PropertiesFilter(ReadFields(ref reader)),
        Descriptors.ApplicationPropertiesFilter => new ApplicationPropertiesFilter(ReadFields(ref reader)),
        _ => null,
    };

    private static Utf8Name ReadKey(ref ValueReader reader)
    {
        ReadOnlySpan<byte> key = reader.ReadString();
        if (key.Length > Utf8Name.SizeMax || !System.Text.Unicode.Utf8.IsValid(key)) throw new DecodeException($"a binding key is at most {Utf8Name.SizeMax} bytes of UTF-8");
        return new Utf8Name(key);
    }

    private static List<Argument> ReadFields(ref ValueReader reader)
    {
        int count = reader.ReadMap(out ValueReader items) / 2;
        if (count > FilterLimits.FieldsMax) throw new FilterException($"a property filter has 1 to {FilterLimits.FieldsMax} fields, and not {count}");
        var fields = new List<Argument>(count);
        for (int i = 0; i < count; i++) fields.Add(new Argument(Encoding.UTF8.GetString(items.ReadText()), ToArgument(Value10.Read(ref items))));
        return fields;
    }

    private static ArgumentValue ToArgument(Value10 value)
    {
        if (value.IsNull) return default;
        if (value.Boolean is { } boolean) return ArgumentValue.Of(boolean);
        if ((value.Integer ?? value.TimestampMs) is { } number) return ArgumentValue.Of(number);
        if (value.Real is { } real) return ArgumentValue.OfReal(ArgumentKind.Double, real);
        if (value.IsText) return ArgumentValue.OfBytes(ArgumentKind.Text, value.Content);
        if (value.IsBinary || value.Code == FormatCode.Uuid) return ArgumentValue.OfBytes(ArgumentKind.Bytes, value.Content);
        bool isCompound = value.IsList || value.IsMap || value.IsArray;
        return isCompound ? ArgumentValue.Of(ArgumentTable.Empty) : ArgumentValue.OfBytes(ArgumentKind.Decimal, value.Bytes); // what equals nothing, as in messages
    }
}
