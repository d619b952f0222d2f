using System.Text;

namespace Lm.Agent.LogTail;

/// <summary>Values of attributes.</summary>
internal static class LabelValue
{
    /// <summary>A text that is too long loses its beginning: a path's end tells more.</summary>
    public static string Cut(string text, int bytesMax)
    {
        const string Sign = "...";
        if (Encoding.UTF8.GetByteCount(text) <= bytesMax)
        {
            return text;
        }

        var start = text.Length;
        for (var bytes = Sign.Length; start > 0; start--)
        {
            bytes += char.IsAscii(text[start - 1]) ? 1 : 3; // half of a surrogate pair has 2
            if (bytes > bytesMax)
            {
                break;
            }
        }

        start += start < text.Length && char.IsLowSurrogate(text[start]) ? 1 : 0;
        return Sign + text[start..];
    }
}
