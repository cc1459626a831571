using System.Text;
using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

/// <summary>
/// Makes a tree of an expression, by recursive descent; one method per level of precedence, from OR over AND, NOT, comparison, sum and product to signs.
/// </summary>
internal sealed class Parser
{
    private readonly Lexer _lexer;
    private readonly Dialect _dialect;
    private Token _token;
    private int _depth;
    private int _patternsSize;

    private Parser(string text, Dialect dialect)
    {
        _lexer = new Lexer(text, dialect);
        _dialect = dialect;
        _token = _lexer.Read();
    }

    /// <summary>The condition that a text is. Throws <see cref="FilterException"/> when it is none.</summary>
    public static Expression Parse(string text, Dialect dialect)
    {
        var parser = new Parser(text, dialect);
        Expression expression = parser.ParseOr();
        if (parser._token.Kind != TokenKind.End) throw parser.Expected("an operator or the end");
        return parser.AsCondition(expression, 0);
    }

    private Expression ParseOr() => ParseChain(TokenKind.Or, ParseAnd, conditions => new Disjunction(conditions));

    private Expression ParseAnd() => ParseChain(TokenKind.And, ParseNot, conditions => new Conjunction(conditions));

    // Any number of conditions side by side is one level of the tree.
    private Expression ParseChain(TokenKind link, Func<Expression> parse, Func<Expression[], Expression> join)
    {
        int start = _token.At;
        Expression first = parse();
        if (_token.Kind != link) return first;
        List<Expression> conditions = [AsCondition(first, start)];
        while (TryTake(link))
        {
            start = _token.At;
            conditions.Add(AsCondition(parse(), start));
        }
        return Checked(join([.. conditions]));
    }

    private Expression ParseNot()
    {
        if (!TryTake(TokenKind.Not)) return ParseComparison();
        int start = _token.At;
        Enter();
        Expression condition = ParseNot();
        _depth--;
        return Checked(new Negation(AsCondition(condition, start)));
    }

    private Expression ParseComparison()
    {
        Expression value = ParseSum();
        if (ComparisonOf(_token.Kind) is { } comparison)
        {
            Take();
            return Checked(new Comparison(comparison, value, ParseSum()));
        }
        if (TryTake(TokenKind.Is)) return ParseNullTest(value);
        bool isNegated = TryTake(TokenKind.Not);
        Expression? test = ParseTest(value);
        if (test is null) return isNegated ? throw Expected("LIKE, IN or BETWEEN") : value;
        return Checked(isNegated ? new Negation(test) : test);
    }

    private Expression? ParseTest(Expression value)
    {
        if (TryTake(TokenKind.Like)) return ParseLike(value);
        if (TryTake(TokenKind.In)) return ParseIn(value);
        if (!TryTake(TokenKind.Between)) return null;
        Expression low = ParseSum();
        Demand(TokenKind.And, "AND");
        return Checked(new Between(value, low, ParseSum()));
    }

    private Expression ParseNullTest(Expression value)
    {
        bool isNegated = TryTake(TokenKind.Not);
        Demand(TokenKind.Null, "NULL");
        Expression test = Checked(new NullTest(value));
        return isNegated ? Checked(new Negation(test)) : test;
    }

    private Expression ParseLike(Expression value)
    {
        int start = _token.At;
        string pattern = DemandText();
        Rune? escape = null;
        if (TryTake(TokenKind.Escape))
        {
            int escapeAt = _token.At;
            Rune[] runes = [.. DemandText().EnumerateRunes()];
            escape = runes.Length == 1 ? runes[0] : throw _lexer.Refuse(escapeAt, "a text of one character");
        }
        _patternsSize += Encoding.UTF8.GetByteCount(pattern);
        if (_patternsSize > FilterLimits.PatternsSizeMax) throw _lexer.Refuse(start, $"patterns of at most {FilterLimits.PatternsSizeMax} octets together");
        LikePattern compiled = LikePattern.Create(pattern, escape) ?? throw _lexer.Refuse(start, "a pattern in which every escape escapes something");
        return Checked(new Likeness(value, compiled));
    }

    private Expression ParseIn(Expression value)
    {
        Demand(TokenKind.Open, "(");
        List<Expression> list = [];
        do
        {
            if (list.Count == FilterLimits.ListItemsMax) throw Expected($"at most {FilterLimits.ListItemsMax} values");
            list.Add(ParseSum());
        }
        while (TryTake(TokenKind.Comma));
        Demand(TokenKind.Close, ", or )");
        return Checked(new Membership(value, [.. list]));
    }

    private Expression ParseSum()
    {
        Expression left = ParseProduct();
        while (_token.Kind is TokenKind.Plus or TokenKind.Minus)
        {
            ArithmeticOperator operation = Take().Kind == TokenKind.Plus ? ArithmeticOperator.Add : ArithmeticOperator.Subtract;
            left = Checked(new Arithmetic(operation, left, ParseProduct()));
        }
        return left;
    }

    private Expression ParseProduct()
    {
        Expression left = ParseSign();
        while (_token.Kind is TokenKind.Times or TokenKind.Over or TokenKind.Percent)
        {
            ArithmeticOperator operation = Take().Kind switch
            {
                TokenKind.Times => ArithmeticOperator.Multiply,
                TokenKind.Over => _dialect.Division,
                _ => ArithmeticOperator.Remainder,
            };
            left = Checked(new Arithmetic(operation, left, ParseSign()));
        }
        return left;
    }

    private Expression ParseSign()
    {
        if (_token.Kind is not (TokenKind.Plus or TokenKind.Minus)) return ParsePrimary();
        bool isMinus = Take().Kind == TokenKind.Minus;
        Enter();
        Expression number = ParseSign();
        _depth--;
        return Checked(new Sign(isMinus, number));
    }

    private Expression ParsePrimary()
    {
        Token token = _token;
        switch (token.Kind)
        {
            case TokenKind.Literal:
                Take();
                return new Literal(token.Value);
            case TokenKind.HeaderName:
                Take();
                return new HeaderField(token.Text);
            case TokenKind.Name:
                Expression field = _dialect.Find(token.Text) ?? throw Expected("a field that messages have");
                Take();
                return _token.Kind == TokenKind.Open ? throw Expected("an operator, for there are no functions,") : field;
            case TokenKind.Open:
                Take();
                Enter();
                Expression inner = ParseOr();
                _depth--;
                Demand(TokenKind.Close, ")");
                return inner;
            default:
                throw Expected("a name, a literal or (");
        }
    }

    private static ComparisonOperator? ComparisonOf(TokenKind kind) => kind switch
    {
        TokenKind.Equal => ComparisonOperator.Equal,
        TokenKind.NotEqual => ComparisonOperator.NotEqual,
        TokenKind.Less => ComparisonOperator.Less,
        TokenKind.LessOrEqual => ComparisonOperator.LessOrEqual,
        TokenKind.Greater => ComparisonOperator.Greater,
        TokenKind.GreaterOrEqual => ComparisonOperator.GreaterOrEqual,
        _ => null,
    };

    private Expression AsCondition(Expression expression, int start) => expression.IsCondition ? expression : throw _lexer.Refuse(start, "a condition");

    // The parser's own recursion; Checked looks at the evaluator's.
    private void Enter()
    {
        if (++_depth > FilterLimits.DepthMax) throw TooDeep();
    }

    private Expression Checked(Expression expression) => expression.Depth <= FilterLimits.DepthMax ? expression : throw TooDeep();

    private FilterException TooDeep() => Expected($"at most {FilterLimits.DepthMax} operators or parentheses inside of each other");

    private FilterException Expected(string what) => _lexer.Refuse(_token.At, what);

    private Token Take()
    {
        Token taken = _token;
        _token = _lexer.Read();
        return taken;
    }

    private bool TryTake(TokenKind kind)
    {
        if (_token.Kind != kind) return false;
        Take();
        return true;
    }

    private void Demand(TokenKind kind, string what)
    {
        if (!TryTake(kind)) throw Expected(what);
    }

    private string DemandText()
    {
        if (_token.Kind != TokenKind.Literal || _token.Value.Kind != ArgumentKind.Text) throw Expected("a text");
        return Take().Value.Text;
    }
}
