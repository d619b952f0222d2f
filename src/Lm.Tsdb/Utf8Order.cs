using System.Text;

namespace Lm.Tsdb;

/// <summary>The order of texts by their UTF-8 bytes, which blocks and Prometheus use.</summary>
/// <remarks>It differs from .NET's ordinal order where a surrogate pair meets a character from U+E000 to U+FFFF: the pair's code point is
/// greater, its first UTF-16 unit is smaller.</remarks>
internal sealed class Utf8Order : IComparer<string>
{
    /// <summary>The comparer for collections.</summary>
    public static readonly Utf8Order Instance = new();

    /// <summary>Strict, so that two texts never become one by replacement characters.</summary>
    public static readonly UTF8Encoding Encoding = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <inheritdoc/>
    int IComparer<string>.Compare(string? x, string? y) => Compare(x ?? "", y ?? "");

    /// <summary>Compares two texts without lone surrogates.</summary>
    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        return common == left.Length || common == right.Length ? left.Length.CompareTo(right.Length) : Rank(left[common]) - Rank(right[common]);
    }

    // Surrogates go behind all other units; their order among one another is that of their code points.
    private static int Rank(char unit) => unit switch
    {
        < '\ud800' => unit,
        < '\ue000' => unit + 0x2000,
        _ => unit - 0x800,
    };
}
