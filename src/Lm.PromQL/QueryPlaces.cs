using System.Text;

namespace Lm.PromQL;

/// <summary>Lines and columns of a query's text, as Prometheus counts them: from 1, columns in bytes of UTF-8.</summary>
internal sealed class QueryPlaces
{
    private readonly (int Line, int Column)[]? places; // null: one line of ASCII, where columns follow from the index

    public QueryPlaces(string text)
    {
        if (Ascii.IsValid(text) && !text.Contains('\n', StringComparison.Ordinal))
        {
            return;
        }

        places = new (int, int)[text.Length + 1];
        var line = 1;
        var column = 1;
        for (var i = 0; i < text.Length; i++)
        {
            places[i] = (line, column);
            if (text[i] == '\n')
            {
                line++;
                column = 1;
                continue;
            }

            // Half a surrogate pair counts two of its four bytes: only the first half begins a word.
            column += char.IsSurrogate(text[i]) ? 2 : text[i] < 0x80 ? 1 : text[i] < 0x800 ? 2 : 3;
        }

        places[^1] = (line, column);
    }

    /// <summary>Where an index is.</summary>
    public (int Line, int Column) Of(int index) => places is null ? (1, index + 1) : places[index];

    /// <summary>A part of the text, with line and column.</summary>
    public TextPlace Between(int start, int end)
    {
        var (line, column) = Of(start);
        return new TextPlace(start, end) { Line = line, Column = column };
    }
}
