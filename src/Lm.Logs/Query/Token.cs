namespace Lm.Logs.Query;

/// <summary>A piece of a query.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Where it begins, characters.</param>
/// <param name="Text">An identifier, a symbol or an amount as it stands; a text in quotes resolved.</param>
internal readonly record struct Token(TokenKind Kind, int Start, string Text)
{
    /// <summary>How it is called in messages.</summary>
    public string Shown => Kind switch
    {
        TokenKind.End => "the end of the query",
        TokenKind.Text => "the text " + QuotedString.Quote(Text.Length > 32 ? Text[..32] + "…" : Text),
        _ => $"'{Text}'",
    };

    /// <summary>Whether it is this symbol.</summary>
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;

    /// <summary>Whether it is this word.</summary>
    public bool IsWord(string word) => Kind == TokenKind.Word && Text == word;
}

/// <summary>What a piece of a query is.</summary>
internal enum TokenKind
{
    /// <summary>A name or keyword.</summary>
    Word,

    /// <summary>A text in quotes.</summary>
    Text,

    /// <summary>A number, perhaps with units.</summary>
    Amount,

    /// <summary>One of <c>{ } ( ) [ ] , | |= |~ …</c>.</summary>
    Symbol,

    /// <summary>Nothing more.</summary>
    End,
}
