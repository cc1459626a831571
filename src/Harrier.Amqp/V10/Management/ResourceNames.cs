using Harrier.Broker.Messages;

namespace Harrier.Amqp.V10.Management;

/// <summary>What management does not take as the name of a queue or exchange, although 0-9-1 does (behaviour note 28).</summary>
internal static class ResourceNames
{
    public static void RefuseLineBreaks(Utf8Name name)
    {
        if (name.Span.IndexOfAny((byte)'\r', (byte)'\n') >= 0) throw RequestErrors.LineBreak(name.ToString());
    }

    public static void RefuseDefaultExchange(Utf8Name name)
    {
        if (name.IsEmpty) throw RequestErrors.DefaultExchange();
    }
}
