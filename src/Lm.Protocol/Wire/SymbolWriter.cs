using System.Text;

namespace Lm.Protocol.Wire;

/// <summary>Numbers the strings of one batch and puts each on the wire once, as <c>Batch.symbols</c>.</summary>
internal sealed class SymbolWriter
{
    // Above this the dictionary is given back when it is cleared: one large batch must not raise the agent's memory for good.
    private const int RetainedMax = 16_384;

    private readonly WireWriter writer = new();
    private Dictionary<string, uint> numbers = new(StringComparer.Ordinal);
    private uint count;

    public SymbolWriter() => Clear();

    /// <summary>The fields for the symbols so far.</summary>
    public ReadOnlySpan<byte> Written => writer.Written;

    /// <summary>Begins a table: number 0 is the empty string.</summary>
    public void Clear()
    {
        if (numbers.Count > RetainedMax)
        {
            numbers = new Dictionary<string, uint>(StringComparer.Ordinal);
        }

        numbers.Clear();
        writer.Clear();
        numbers.Add("", 0);
        writer.WriteStringField(Tag.BatchSymbols, "");
        count = 1;
    }

    /// <summary>The number of a string.</summary>
    public uint Reference(string text)
    {
        if (numbers.TryGetValue(text, out var number))
        {
            return number;
        }

        if (IsWellFormed(text))
        {
            number = count++;
            writer.WriteStringField(Tag.BatchSymbols, text);
        }
        else
        {
            // Different texts become the same one when their lone surrogates become U+FFFD; on the wire each stands once.
            number = Reference(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)));
        }

        numbers.Add(text, number);
        return number;
    }

    private static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        // Ascii, nearly always, and then done in one vectorised look.
        if (Ascii.IsValid(text))
        {
            return true;
        }

        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }

        return true;
    }
}
