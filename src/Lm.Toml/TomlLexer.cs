namespace Lm.Toml;

/// <summary>Walks a document's characters and knows the place it has reached.</summary>
/// <remarks>
/// TOML has no tokens apart from where they stand (<c>1.2</c> is a float after <c>=</c> and two keys before it), so the parser asks for what
/// it expects. Every character is passed once, so that reading is linear in the text.
/// </remarks>
internal sealed class TomlLexer(string text)
{
    /// <summary>What <see cref="Current"/> is after the last character.</summary>
    public const int End = -1;

    private int at;
    private int line = 1;
    private int column = 1;

    /// <summary>Where <see cref="Current"/> stands.</summary>
    public TomlPosition Position => new(line, column);

    /// <summary>The index of <see cref="Current"/> in the text.</summary>
    public int Index => at;

    /// <summary>The UTF-16 unit to be read next, or <see cref="End"/>.</summary>
    public int Current => at < text.Length ? text[at] : End;

    /// <summary>The unit after <see cref="Current"/>, or <see cref="End"/>.</summary>
    public int Next => at + 1 < text.Length ? text[at + 1] : End;

    /// <summary>Whether a line ends here, with LF or CRLF, or the text does.</summary>
    public bool IsAtLineEnd => Current is End or '\n' || (Current == '\r' && Next == '\n');

    /// <summary>Whether the text goes on with <paramref name="expected"/>.</summary>
    public bool StartsWith(string expected) => text.AsSpan(at).StartsWith(expected, StringComparison.Ordinal);

    /// <summary>The text from an index to here.</summary>
    public ReadOnlySpan<char> From(int start) => text.AsSpan(start, at - start);

    /// <summary>Passes one UTF-16 unit.</summary>
    public void Advance()
    {
        var passed = text[at++];
        if (passed == '\n')
        {
            line++;
            column = 1;
        }
        else if (!char.IsLowSurrogate(passed))
        {
            column++;
        }
    }

    /// <summary>Passes so many units.</summary>
    public void Advance(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Advance();
        }
    }

    /// <summary>Passes a character when it is next.</summary>
    public bool TryTake(char expected)
    {
        if (Current != expected)
        {
            return false;
        }

        Advance();
        return true;
    }

    /// <summary>Passes spaces and tabs.</summary>
    public void SkipBlanks()
    {
        while (Current is ' ' or '\t')
        {
            Advance();
        }
    }

    /// <summary>Passes blanks, comments and line ends.</summary>
    public void SkipBlankLines()
    {
        do
        {
            SkipBlanks();
            SkipComment();
        }
        while (TryTakeLineEnd());
    }

    /// <summary>Passes the rest of a line, which may hold nothing but a comment.</summary>
    public void TakeRestOfLine()
    {
        SkipBlanks();
        SkipComment();
        if (Current != End && !TryTakeLineEnd())
        {
            throw Fault("the line should end here");
        }
    }

    /// <summary>Passes LF or CRLF.</summary>
    public bool TryTakeLineEnd()
    {
        if (Current == End || !IsAtLineEnd)
        {
            return false;
        }

        Advance(Current == '\r' ? 2 : 1);
        return true;
    }

    /// <summary>Passes what is left of a line in which a fault was found.</summary>
    public void DropRestOfLine()
    {
        while (Current is not (End or '\n'))
        {
            Advance();
        }

        TryTakeLineEnd();
    }

    /// <summary>A fault here; it says which character was found, unless the reason is the character itself.</summary>
    public TomlSyntaxException Fault(string expectation) =>
        new(Position, IsForbidden(Current) ? ForbiddenHere() : $"{expectation}; found {CurrentForPeople()}")
        {
            // What is missing at a line's end may have been put into the next one.
            NextLineIsSure = !IsAtLineEnd,
        };

    /// <summary>Refuses a control character in a comment or string: all but tab, and the line ends that the caller knows.</summary>
    public void RefuseForbidden()
    {
        if (IsForbidden(Current))
        {
            throw new TomlSyntaxException(Position, ForbiddenHere());
        }
    }

    private void SkipComment()
    {
        if (Current != '#')
        {
            return;
        }

        while (!IsAtLineEnd)
        {
            RefuseForbidden();
            Advance();
        }
    }

    private static bool IsForbidden(int unit) => unit is (>= 0 and < ' ' and not ('\t' or '\n')) or 0x7F;

    private string ForbiddenHere() => Current == '\r'
        ? "a carriage return without a line feed; lines end with LF or CRLF"
        : $"the control character U+{Current:X4} is not allowed in TOML";

    private string CurrentForPeople() => Current switch
    {
        End => "the end of the file",
        '\n' or '\r' => "the end of the line",
        '\t' => "a tab",
        ' ' => "a space",
        > ' ' and < 0x7F => $"'{(char)Current}'",
        // Half of a pair, an invisible mark or a look-alike: its number says more than its picture.
        _ => $"U+{char.ConvertToUtf32(text, at):X4}",
    };
}
