using Harrier.Broker.Messages;

namespace Harrier.Broker.Filters.Expressions;

internal enum TokenKind
{
    End,

    /// <summary>A name that the dialect gives a meaning.</summary>
    Name,

    /// <summary>The name of an application property, whatever it looks like.</summary>
    HeaderName,

    /// <summary>A number, text, truth value or octets.</summary>
    Literal,

    And,
    Or,
    Not,
    Between,
    Like,
    In,
    Is,
    Null,
    Escape,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Over,
    Percent,
    Open,
    Close,
    Comma,
}

/// <summary>A word of an expression.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">The index of its first character.</param>
/// <param name="Text">The name, when it is one.</param>
/// <param name="Value">The value of a literal.</param>
internal readonly record struct Token(TokenKind Kind, int At, string Text = "", ArgumentValue Value = default);
