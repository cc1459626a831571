using System.Text;
using Harrier.Broker;
using Harrier.Protocol.Amqp091;

namespace Harrier.Amqp.V091;

/// <summary>The reply text of a close method: the code's name and the explanation, cut to what a shortstr holds (behaviour note 24).</summary>
internal static class ReplyText
{
    private const int SizeMax = 255;

    public static byte[] Of(BrokerException error) => Of((ushort)error.Code, error.Message);

    public static byte[] Of(ushort code, string explanation)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{ReplyCode.NameOf(code)} - {explanation}");
        if (text.Length <= SizeMax) return text;
        int end = SizeMax - 3;
        while ((text[end] & 0b1100_0000) == 0b1000_0000) end--; // not in the middle of a character
        return [.. text.AsSpan(0, end), .. "..."u8];
    }
}
