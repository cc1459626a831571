using System.Globalization;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>Reads an expression word by word. Used once, by one parser.</summary>
internal sealed class Lexer
{
    private const int FoundLengthShown = 24;

    private readonly string _text;
    private readonly Dialect _dialect;
    private int _at;
    private int _tokens;

    public Lexer(string text, Dialect dialect)
    {
        if (text.Length > FilterLimits.ExpressionLengthMax)
            throw new FilterException($"an expression of {text.Length} characters, but {FilterLimits.ExpressionLengthMax} are allowed");
        _text = text;
        _dialect = dialect;
    }

    private char Current => Ahead(0);

    /// <summary>The next word; <see cref="TokenKind.End"/> again and again behind the last.</summary>
    public Token Read()
    {
        while (char.IsWhiteSpace(Current)) _at++;
        if (_at == _text.Length) return new Token(TokenKind.End, _at);
        if (++_tokens > FilterLimits.TokensMax) throw Refuse(_at, $"at most {FilterLimits.TokensMax} words");
        char c = Current;
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Ahead(1)))) return ReadNumber();
        if (IsNameStart(c)) return ReadWord();
        if (c == '\'') return ReadText('\'');
        if (c == '"') return _dialect.QuotesNames ? ReadEnclosedName('"', TokenKind.Name) : ReadText('"');
        if (c == '[' && !_dialect.QuotesNames) return ReadEnclosedName(']', TokenKind.HeaderName);
        return ReadSymbol();
    }

    /// <summary>What to throw when something else was expected at an index.</summary>
    public FilterException Refuse(int at, string expected)
    {
        string found = _text.Substring(at, Math.Min(FoundLengthShown, _text.Length - at));
        return new FilterException($"expected {expected} at character {at + 1}, but found {(found.Length == 0 ? "the end" : $"'{found}'")}");
    }

    private Token ReadSymbol()
    {
        (TokenKind kind, int size) = (Current, Ahead(1)) switch
        {
            ('<', '>') or ('!', '=') => (TokenKind.NotEqual, 2),
            ('<', '=') => (TokenKind.LessOrEqual, 2),
            ('>', '=') => (TokenKind.GreaterOrEqual, 2),
            ('<', _) => (TokenKind.Less, 1),
            ('>', _) => (TokenKind.Greater, 1),
            ('=', _) => (TokenKind.Equal, 1),
            ('+', _) => (TokenKind.Plus, 1),
            ('-', _) => (TokenKind.Minus, 1),
            ('*', _) => (TokenKind.Times, 1),
            ('/', _) => (TokenKind.Over, 1),
            ('%', _) => (TokenKind.Percent, 1),
            ('(', _) => (TokenKind.Open, 1),
            (')', _) => (TokenKind.Close, 1),
            (',', _) => (TokenKind.Comma, 1),
            _ => throw Refuse(_at, "a name, a literal or an operator"),
        };
        _at += size;
        return new Token(kind, _at - size);
    }

    private Token ReadWord()
    {
        int start = _at;
        while (IsNamePart(Current)) _at++;
        string word = _text[start.._at];
        return word.ToUpperInvariant() switch
        {
            "AND" => new Token(TokenKind.And, start),
            "OR" => new Token(TokenKind.Or, start),
            "NOT" => new Token(TokenKind.Not, start),
            "BETWEEN" when _dialect.HasBetween => new Token(TokenKind.Between, start),
            "LIKE" => new Token(TokenKind.Like, start),
            "IN" => new Token(TokenKind.In, start),
            "IS" => new Token(TokenKind.Is, start),
            "NULL" => new Token(TokenKind.Null, start),
            "ESCAPE" => new Token(TokenKind.Escape, start),
            "TRUE" => Literal(start, ArgumentValue.Of(true)),
            "FALSE" => Literal(start, ArgumentValue.Of(false)),
            _ => new Token(TokenKind.Name, start, word),
        };
    }

    private Token ReadText(char quote)
    {
        int start = _at;
        return Literal(start, ArgumentValue.Of(ReadEnclosed(quote)));
    }

    private Token ReadEnclosedName(char end, TokenKind kind)
    {
        int start = _at;
        string name = ReadEnclosed(end);
        if (name.Length == 0) throw Refuse(start, "a name");
        // In brackets the opening one is doubled as well.
        return new Token(kind, start, kind == TokenKind.HeaderName ? name.Replace("[[", "[", StringComparison.Ordinal) : name);
    }

    // Up to the character that ends it, which stands for itself when it is doubled.
    private string ReadEnclosed(char end)
    {
        int start = _at++;
        while (true)
        {
            int found = _text.IndexOf(end, _at);
            if (found < 0) throw Refuse(start, $"something that ends with {end}");
            _at = found + 1;
            if (Current != end) break;
            _at++;
        }
        return _text[(start + 1)..(_at - 1)].Replace($"{end}{end}", $"{end}", StringComparison.Ordinal);
    }

    private Token ReadNumber()
    {
        int start = _at;
        ArgumentValue value;
        if (Current == '0' && Ahead(1) is 'x' or 'X') value = _dialect.HasJavaNumbers ? ReadHexNumber() : ReadOctets();
        else value = SkipDecimal() ? ReadReal(start) : ReadWhole(start);
        if (IsNamePart(Current)) throw Refuse(start, "a number");
        return Literal(start, value);
    }

    // Past digits, fraction and exponent; says whether there was one of the latter.
    private bool SkipDecimal()
    {
        SkipDigits();
        bool isReal = Current == '.';
        if (isReal) _at++;
        SkipDigits();
        if (Current is not ('e' or 'E')) return isReal;
        int digits = Ahead(1) is '+' or '-' ? 2 : 1;
        if (!char.IsAsciiDigit(Ahead(digits))) return isReal;
        _at += digits;
        SkipDigits();
        return true;
    }

    private ArgumentValue ReadReal(int start)
    {
        double value = double.Parse(_text.AsSpan(start, _at - start), NumberStyles.Float, CultureInfo.InvariantCulture);
        if (double.IsInfinity(value)) throw Refuse(start, "a number that fits 64 bits");
        if (_dialect.HasJavaNumbers && Current is 'f' or 'F' or 'd' or 'D') _at++;
        return ArgumentValue.OfReal(ArgumentKind.Double, value);
    }

    // Beyond 64 bits it goes on as a floating-point number, as calculations do.
    private ArgumentValue ReadWhole(int start)
    {
        ReadOnlySpan<char> digits = _text.AsSpan(start, _at - start);
        if (_dialect.HasJavaNumbers && digits.Length > 1 && digits[0] == '0') return ReadOctal(start, digits);
        bool isWhole = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long whole);
        if (!isWhole || (_dialect.HasJavaNumbers && Current is 'f' or 'F' or 'd' or 'D')) return ReadReal(start);
        SkipLongSuffix();
        return ArgumentValue.Of(whole);
    }

    private ArgumentValue ReadOctal(int start, ReadOnlySpan<char> digits)
    {
        long value = 0;
        foreach (char digit in digits)
        {
            if (digit > '7' || value > long.MaxValue >> 3) throw Refuse(start, "an octal number that fits 64 bits");
            value = value << 3 | (long)(digit - '0');
        }
        SkipLongSuffix();
        return ArgumentValue.Of(value);
    }

    private ArgumentValue ReadHexNumber()
    {
        int start = _at;
        ReadOnlySpan<char> digits = ReadHexDigits();
        if (!ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value) || value > long.MaxValue)
            throw Refuse(start, "a hexadecimal number that fits 64 bits");
        SkipLongSuffix();
        return ArgumentValue.Of((long)value);
    }

    private ArgumentValue ReadOctets()
    {
        int start = _at;
        ReadOnlySpan<char> digits = ReadHexDigits();
        if (digits.Length == 0 || digits.Length % 2 != 0) throw Refuse(start, "octets of two hexadecimal digits each");
        return ArgumentValue.OfBytes(ArgumentKind.Bytes, Convert.FromHexString(digits));
    }

    private ReadOnlySpan<char> ReadHexDigits()
    {
        _at += 2;
        int start = _at;
        while (char.IsAsciiHexDigit(Current)) _at++;
        return _text.AsSpan(start, _at - start);
    }

    private void SkipDigits()
    {
        while (char.IsAsciiDigit(Current)) _at++;
    }

    private void SkipLongSuffix()
    {
        if (_dialect.HasJavaNumbers && Current is 'l' or 'L') _at++;
    }

    private static Token Literal(int at, ArgumentValue value) => new(TokenKind.Literal, at, Value: value);

    // What no expression contains stands for the end.
    private char Ahead(int count) => _at + count < _text.Length ? _text[_at + count] : '\0';

    private static bool IsNameStart(char c) => char.IsLetter(c) || c is '_' or '$';

    private static bool IsNamePart(char c) => char.IsLetterOrDigit(c) || c is '_' or '$' or '.';
}
