namespace Lm.Toml;

/// <summary>The grammar: lines, headers, keys and values.</summary>
/// <remarks>
/// Source: TOML 1.0.0 and its ABNF. Invariants:
/// <list type="bullet">
/// <item>A value lies at most <see cref="DepthMax"/> keys and brackets deep, so hostile text cannot overflow the stack.</item>
/// <item>After a fault of syntax parsing goes on only where the next line is surely an expression of its own; faults of redefinition are
/// reported only before the first of syntax, because afterwards the tables are not what the operator wrote.</item>
/// </list>
/// </remarks>
internal sealed class TomlParser(string text, SettingsFaults faults)
{
    /// <summary>The most levels of tables and arrays, one in the other.</summary>
    public const int DepthMax = 128;

    /// <summary>The most faults of syntax looked for.</summary>
    public const int SyntaxFaultsMax = 20;

    private readonly TomlLexer lexer = new(text);
    private readonly TomlTree tree = new();
    private int syntaxFaults;

    /// <summary>Reads the whole text.</summary>
    /// <returns>The top table; only part of the document when there was a fault.</returns>
    public TomlValue.Table ParseDocument()
    {
        while (lexer.Current != TomlLexer.End && syntaxFaults < SyntaxFaultsMax)
        {
            var lineStart = lexer.Index;
            var line = lexer.Position.Line;
            try
            {
                ParseExpression();
                lexer.TakeRestOfLine();
            }
            catch (TomlSyntaxException fault)
            {
                faults.Add(fault.Position, fault.Message);
                syntaxFaults++;
                var hasLeftLine = lexer.Position.Line != line;
                if (hasLeftLine || !fault.NextLineIsSure)
                {
                    break;
                }

                lexer.DropRestOfLine();
                if (MayOpenLines(lexer.From(lineStart)))
                {
                    break;
                }
            }
        }

        return tree.Root;
    }

    /// <summary>Whether a faulty line may have been meant to go on in the next one.</summary>
    private static bool MayOpenLines(ReadOnlySpan<char> line)
    {
        var value = line[(line.IndexOf('=') + 1)..];
        var isHeader = value.Length == line.Length;
        return line.Contains("\"\"\"", StringComparison.Ordinal)
            || line.Contains("'''", StringComparison.Ordinal)
            || (!isHeader && value.ContainsAny('[', '{'));
    }

    private void ParseExpression()
    {
        lexer.SkipBlanks();
        switch (lexer.Current)
        {
            case '#' or '\n' or '\r' or TomlLexer.End:
                return;
            case '[':
                ParseHeader();
                return;
            default:
                ParseKeyValue(tree.Current, tree.CurrentDepth);
                return;
        }
    }

    private void ParseHeader()
    {
        var position = lexer.Position;
        lexer.Advance();
        var isArray = lexer.TryTake('[');
        // Until the header is read and allowed, its keys belong nowhere.
        tree.EnterNowhere();
        lexer.SkipBlanks();
        var key = ParseKey(depth: 0);
        if (!lexer.TryTake(']') || (isArray && !lexer.TryTake(']')))
        {
            throw lexer.Fault(isArray ? "the header should close with ]]" : "the header should close with ]");
        }

        Report(isArray ? tree.TryEnterArrayElement(key, position) : tree.TryEnterTable(key, position));
    }

    private void ParseKeyValue(TomlValue.Table table, int depth)
    {
        var key = ParseKey(depth);
        if (!lexer.TryTake('='))
        {
            throw lexer.Fault("= should follow the key");
        }

        lexer.SkipBlanks();
        var value = ParseValue(depth + key.Count);
        Report(TomlTree.TryDefine(table, key, value));
    }

    /// <summary>Reads a key of one part or, with dots, more; and the blanks after it.</summary>
    private List<TomlKey> ParseKey(int depth)
    {
        var parts = new List<TomlKey>(capacity: 1);
        do
        {
            lexer.SkipBlanks();
            RefuseTooDeep(depth + parts.Count);
            parts.Add(ParseKeyPart());
            lexer.SkipBlanks();
        }
        while (lexer.TryTake('.'));
        return parts;
    }

    private TomlKey ParseKeyPart()
    {
        var position = lexer.Position;
        if (lexer.StartsWith("\"\"\"") || lexer.StartsWith("'''"))
        {
            throw lexer.Fault("a key is one line of text in single or double quotes");
        }

        if (lexer.Current is '"' or '\'')
        {
            return new TomlKey(TomlStrings.ReadOneLine(lexer), position);
        }

        var start = lexer.Index;
        while (TomlKey.IsBare(lexer.Current))
        {
            lexer.Advance();
        }

        return lexer.Index > start
            ? new TomlKey(lexer.From(start).ToString(), position)
            : throw lexer.Fault("a key (letters, digits, _ and -, or text in quotes) is expected");
    }

    private TomlValue ParseValue(int depth)
    {
        var position = lexer.Position;
        return lexer.Current switch
        {
            '"' or '\'' => new TomlValue.Text(TomlStrings.Read(lexer), position),
            '[' => ParseArray(depth),
            '{' => ParseInlineTable(depth),
            _ => ParseBareValue(position),
        };
    }

    private TomlValue.Array ParseArray(int depth)
    {
        RefuseTooDeep(depth);
        var array = new TomlValue.Array(growsByHeaders: false, lexer.Position);
        lexer.Advance();
        lexer.SkipBlankLines();
        while (!lexer.TryTake(']'))
        {
            array.Items.Add(ParseValue(depth + 1));
            lexer.SkipBlankLines();
            if (!lexer.TryTake(',') && lexer.Current != ']')
            {
                throw lexer.Fault($"a comma or the ] of the array from line {array.Position.Line} is expected");
            }

            lexer.SkipBlankLines();
        }

        return array;
    }

    private TomlValue.Table ParseInlineTable(int depth)
    {
        RefuseTooDeep(depth);
        // Closed only by its brace: its own dotted keys still add to it.
        var table = new TomlValue.Table(TomlValue.TableOrigin.Inline, lexer.Position);
        lexer.Advance();
        lexer.SkipBlanks();
        if (lexer.TryTake('}'))
        {
            return table;
        }

        do
        {
            lexer.SkipBlanks();
            ParseKeyValue(table, depth);
            lexer.SkipBlanks();
        }
        while (lexer.TryTake(','));

        return lexer.TryTake('}')
            ? table
            : throw lexer.Fault("a comma or the } of the inline table, which is all on one line, is expected");
    }

    /// <summary>Reads a value that is neither text nor bracketed: boolean, number, date or time.</summary>
    private TomlValue ParseBareValue(TomlPosition position)
    {
        var start = lexer.Index;
        SkipBareValue();
        if (TomlDateTime.IsDate(lexer.From(start)) && lexer.Current == ' ' && char.IsAsciiDigit((char)lexer.Next))
        {
            lexer.Advance();
            SkipBareValue();
        }

        var token = lexer.From(start);
        return token switch
        {
            "" => throw lexer.Fault("a value is expected"),
            "true" => new TomlValue.Truth(true, position),
            "false" => new TomlValue.Truth(false, position),
            _ when TomlDateTime.LooksLike(token) => ParseDateTime(token, position),
            _ when TomlNumber.LooksLike(token) => TomlNumber.Parse(token, position),
            // The text is not quoted: it may be a secret whose quotes were forgotten.
            _ => throw new TomlSyntaxException(position, "not a value: text needs quotes; true, false and inf are in small letters"),
        };
    }

    private static TomlValue.Moment ParseDateTime(ReadOnlySpan<char> token, TomlPosition position) =>
        TomlDateTime.TryParse(token, out var value, out var fault)
            ? new TomlValue.Moment(value, position)
            : throw new TomlSyntaxException(position, fault);

    private void SkipBareValue()
    {
        while (TomlKey.IsBare(lexer.Current) || lexer.Current is '+' or '.' or ':')
        {
            lexer.Advance();
        }
    }

    private void RefuseTooDeep(int depth)
    {
        if (depth >= DepthMax)
        {
            throw new TomlSyntaxException(lexer.Position, $"tables and arrays lie too deep in each other; allowed are {DepthMax} levels")
            {
                NextLineIsSure = false,
            };
        }
    }

    private void Report(TomlRedefinition? redefinition)
    {
        if (redefinition is { } found && syntaxFaults == 0)
        {
            faults.Add(found.Position, found.Message);
        }
    }
}
