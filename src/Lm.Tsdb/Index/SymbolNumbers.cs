using System.Runtime.InteropServices;

namespace Lm.Tsdb.Index;

/// <summary>Texts numbered in order of appearance.</summary>
internal sealed class SymbolNumbers
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);

    public int NumberOf(string text)
    {
        ref var number = ref CollectionsMarshal.GetValueRefOrAddDefault(numbers, text, out var isKnown);
        if (!isKnown)
        {
            number = numbers.Count - 1;
        }

        return number;
    }

    /// <summary>The texts in the order of their UTF-8 bytes.</summary>
    /// <param name="sorted">The texts.</param>
    /// <returns>For each number the place of its text there.</returns>
    public int[] Sort(out string[] sorted)
    {
        sorted = [.. numbers.Keys];
        Array.Sort(sorted, Utf8Order.Instance);
        var ordinals = new int[sorted.Length];
        for (var i = 0; i < sorted.Length; i++)
        {
            ordinals[numbers[sorted[i]]] = i;
        }

        return ordinals;
    }
}
