using System.Diagnostics;
using System.Text;

namespace Lm.PromQL;

/// <summary>What a text in quotes means.</summary>
/// <remarks>Escapes are Go's: https://go.dev/ref/spec#Rune_literals. The lexer has checked them.</remarks>
internal static class QuotedText
{
    /// <summary>Resolves the escapes.</summary>
    /// <param name="quoted">The text with its quotes.</param>
    public static string Unquote(ReadOnlySpan<char> quoted)
    {
        Debug.Assert(quoted.Length >= 2, "the lexer gives whole texts only");
        var inner = quoted[1..^1];
        if (quoted[0] == '`')
        {
            return inner.ToString();
        }

        return inner.Contains('\\') ? Resolve(inner) : inner.ToString();
    }

    // Bytes first: several escapes may spell one character.
    private static string Resolve(ReadOnlySpan<char> inner)
    {
        var bytes = new List<byte>(inner.Length + 8);
        while (!inner.IsEmpty)
        {
            if (inner[0] == '\\')
            {
                inner = inner[Escape(inner, bytes)..];
                continue;
            }

            Rune.DecodeFromUtf16(inner, out var rune, out var length);
            AddRune(bytes, rune);
            inner = inner[length..];
        }

        return Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes));
    }

    private static int Escape(ReadOnlySpan<char> text, List<byte> bytes)
    {
        var c = text[1];
        var simple = "abfnrtv\\'\"".IndexOf(c);
        if (simple >= 0)
        {
            bytes.Add((byte)"\a\b\f\n\r\t\v\\'\""[simple]);
            return 2;
        }

        var (skip, digits, radix) = c switch
        {
            'x' => (2, 2, 16),
            'u' => (2, 4, 16),
            'U' => (2, 8, 16),
            _ => (1, 3, 8),
        };
        var number = Convert.ToInt32(text.Slice(skip, digits).ToString(), radix);
        if (c is 'u' or 'U')
        {
            AddRune(bytes, new Rune(number));
        }
        else
        {
            bytes.Add((byte)number);
        }

        return skip + digits;
    }

    private static void AddRune(List<byte> bytes, Rune rune)
    {
        Span<byte> utf8 = stackalloc byte[4];
        bytes.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(bytes, out var rune, out var length);
            if (status == System.Buffers.OperationStatus.Done)
            {
                text.Append(rune.ToString());
            }
            else
            {
                length = 1;
                text.Append(GoText.OfByte(bytes[0]));
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }
}
