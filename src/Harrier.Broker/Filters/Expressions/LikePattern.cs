using System.Text;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>The pattern of a LIKE over UTF-8: <c>%</c> stands for any text, <c>_</c> for one character, the character after the escape for itself.</summary>
internal sealed class LikePattern
{
    // Beyond every octet.
    private const short AnyCharacter = 256;
    private const short AnyText = 257;

    // An octet, or one of the two above.
    private readonly short[] _elements;

    private LikePattern(short[] elements) => _elements = elements;

    /// <summary>A pattern, or null when it ends with an escape that escapes nothing.</summary>
    public static LikePattern? Create(string text, Rune? escape)
    {
        List<short> elements = [];
        Span<byte> octets = stackalloc byte[4];
        bool isEscaped = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!isEscaped && rune == escape)
            {
                isEscaped = true;
                continue;
            }
            if (!isEscaped && rune.Value is '%' or '_') elements.Add(rune.Value == '%' ? AnyText : AnyCharacter);
            else foreach (byte octet in octets[..rune.EncodeToUtf8(octets)]) elements.Add(octet);
            isEscaped = false;
        }
        return isEscaped ? null : new LikePattern([.. elements]);
    }

    /// <summary>
    /// Whether the whole text is like that. Greedy, with two pointers: when something does not fit, the last <c>%</c> takes one character more, and the ones
    /// before it can stay as they are. At worst as many steps as text and pattern have octets, multiplied.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> text)
    {
        int at = 0, element = 0;
        int retryElement = -1, retryAt = 0; // behind the last %, and where its text ends so far
        while (at < text.Length)
        {
            if (element < _elements.Length && _elements[element] == AnyText)
            {
                retryElement = ++element;
                retryAt = at;
                if (element == _elements.Length) return true;
            }
            else if (element < _elements.Length && (_elements[element] == AnyCharacter || _elements[element] == text[at]))
            {
                at += _elements[element++] == AnyCharacter ? CharacterSize(text[at..]) : 1;
            }
            else
            {
                if (retryElement < 0) return false;
                element = retryElement;
                at = retryAt += CharacterSize(text[retryAt..]);
            }
        }
        while (element < _elements.Length && _elements[element] == AnyText) element++;
        return element == _elements.Length;
    }

    // The first octet and those that continue it; what is no UTF-8 falls into characters somehow.
    private static int CharacterSize(ReadOnlySpan<byte> text)
    {
        int size = 1;
        while (size < text.Length && (text[size] & 0b1100_0000) == 0b1000_0000) size++;
        return size;
    }
}
