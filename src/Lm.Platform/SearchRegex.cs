using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;

namespace Lm.Platform;

/// <summary>A regular expression in RE2's dialect that looks for a match anywhere in a text of UTF-8, in time linear in the text.</summary>
/// <remarks>Hot. What every match must contain is looked for first, in the bytes and vectorised; only texts that have it are seen by the automaton.
/// A dot is no line feed, as in RE2.</remarks>
public sealed class SearchRegex
{
    private readonly Re2Literals literals;
    private readonly string[] groupNames;

    private SearchRegex(string pattern, string[] groupNames)
    {
        Pattern = pattern;
        this.groupNames = groupNames;
        literals = Re2Literals.Of(pattern);
    }

    /// <summary>The expression.</summary>
    public string Pattern { get; }

    /// <summary>Texts that everything that matches contains, each of them.</summary>
    public IReadOnlyList<byte[]> Required => literals.Required;

    /// <summary>The groups' names by number, from 1 on; empty for those without a name.</summary>
    public IReadOnlyList<string> GroupNames => groupNames;

    /// <summary>Reads an expression.</summary>
    /// <param name="pattern">The text between the quotes.</param>
    /// <param name="parsed">What it means; null when false.</param>
    /// <param name="fault">Then: what is wrong.</param>
    public static bool TryParse(string pattern, out SearchRegex? parsed, out string fault)
    {
        parsed = null;
        if (pattern.Length > Re2Syntax.LengthMax)
        {
            fault = Re2Syntax.TooLong(pattern);
            return false;
        }

        List<string> names = [];
        if (!Re2Syntax.TryBuild(pattern, "", "", names, out _, out fault))
        {
            return false;
        }

        parsed = new SearchRegex(pattern, [.. names]);
        return true;
    }

    /// <summary>Makes one that a single thread may use.</summary>
    public Matcher CreateMatcher()
    {
        // An automaton of its own: several threads at one would build it under a lock and rent its state from each other.
        Re2Syntax.TryBuild(Pattern, "", "", [], out var automaton, out _); // it was built before
        return new Matcher(literals, automaton!);
    }

    /// <summary>Looks for one expression; for one thread at a time.</summary>
    public sealed class Matcher
    {
        private readonly Re2Literals literals;
        private readonly Re2Automaton automaton;

        internal Matcher(Re2Literals literals, Re2Automaton automaton)
        {
            this.literals = literals;
            this.automaton = automaton;
        }

        /// <summary>Whether the text has a match.</summary>
        /// <param name="text">Valid UTF-8.</param>
        /// <param name="characters">Its characters, as far as they are known already.</param>
        /// <exception cref="RegexMatchTimeoutException">The text alone took longer than a second.</exception>
        public bool IsMatch(ReadOnlySpan<byte> text, Utf16Text characters)
        {
            if (!literals.MayMatch(text))
            {
                return false;
            }

            if (literals.IsWhole)
            {
                return true;
            }

            var found = characters.Of(text);
            return automaton.For(found).IsMatch(found);
        }

        /// <summary>The first match with what its groups caught; null when there is none.</summary>
        /// <param name="text">Valid UTF-8.</param>
        /// <param name="characters">Its characters, as far as they are known already.</param>
        /// <exception cref="RegexMatchTimeoutException">The text alone took longer than a second.</exception>
        public Match? Find(ReadOnlySpan<byte> text, Utf16Text characters)
        {
            if (!literals.MayMatch(text))
            {
                return null;
            }

            var found = characters.Of(text).ToString();
            var match = automaton.For(found).Match(found);
            return match.Success ? match : null;
        }

        /// <summary>Puts another text in the place of every match.</summary>
        /// <param name="text">The text.</param>
        /// <param name="replace">What becomes of a match.</param>
        /// <exception cref="RegexMatchTimeoutException">The text alone took longer than a second.</exception>
        public string Replace(string text, Func<Match, string> replace) => automaton.For(text).Replace(text, match => replace(match));

        /// <summary>How many matches a text has.</summary>
        /// <exception cref="RegexMatchTimeoutException">The text alone took longer than a second.</exception>
        public int Count(string text) => automaton.For(text).Count(text);
    }
}

/// <summary>The characters of one text after the other, made when they are first asked for; for one thread at a time.</summary>
public sealed class Utf16Text
{
    // A text of the usual length; longer ones make it grow, and it shrinks again so that one giant is not paid for ever.
    private const int UsualMax = 64 * 1024;

    private char[] buffer = new char[1024];
    private int length = -1;

    /// <summary>The text changed.</summary>
    public void Forget()
    {
        length = -1;
        if (buffer.Length > UsualMax)
        {
            buffer = new char[1024];
        }
    }

    /// <summary>The characters of a text; the same text until <see cref="Forget"/>.</summary>
    public ReadOnlySpan<char> Of(ReadOnlySpan<byte> text)
    {
        if (length < 0)
        {
            if (buffer.Length < text.Length)
            {
                buffer = new char[Math.Max(text.Length, 2 * buffer.Length)];
            }

            if (Ascii.ToUtf16(text, buffer, out length) != OperationStatus.Done)
            {
                length = Encoding.UTF8.GetChars(text, buffer);
            }
        }

        return buffer.AsSpan(0, length);
    }
}
