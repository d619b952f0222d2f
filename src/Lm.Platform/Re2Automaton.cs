using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>An expression of RE2's dialect that was built: one automaton for texts of the basic plane, and one for those with characters beyond U+FFFF.</summary>
/// <remarks>.NET sees such a character as two, so that a dot, <c>[^a]</c> or <c>\W</c> would be half of one. The automaton that knows pairs has more states
/// and is made when the first such text comes; nearly none do.</remarks>
internal sealed class Re2Automaton
{
    private readonly Regex basic;
    private readonly Func<Regex?>? buildPaired;
    private Regex? paired; // made twice where two threads need it at once; either will do

    /// <param name="basic">For texts without surrogates.</param>
    /// <param name="buildPaired">Makes the one for the others, null where it cannot be made; null where both are the same.</param>
    public Re2Automaton(Regex basic, Func<Regex?>? buildPaired) => (this.basic, this.buildPaired) = (basic, buildPaired);

    /// <summary>The one for a text.</summary>
    public Regex For(ReadOnlySpan<char> text) =>
        buildPaired is not null && text.ContainsAnyInRange('\ud800', '\udfff') ? paired ??= buildPaired() ?? basic : basic;
}
