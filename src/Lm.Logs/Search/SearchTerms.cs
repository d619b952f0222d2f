using Lm.Logs.Files;
using Lm.Logs.Lines;

namespace Lm.Logs.Search;

/// <summary>What a search looks for, prepared once for all of its threads.</summary>
internal sealed class SearchTerms
{
    private readonly byte[][] required;

    public SearchTerms(LogScan scan)
    {
        Scan = scan;
        required = [.. scan.Required.Where(static text => text.Length > 0).OrderByDescending(static text => text.Length)];
        Hashes = [.. required.Select(static text => GramFilter.HashesOf(text)).Where(static hashes => hashes.Length > 0)];
        if (required.Length > 0)
        {
            var escaped = new ByteBuffer();
            JsonText.Append(escaped, required[0]);
            LongestEscaped = escaped.Written.ToArray();
        }
    }

    /// <summary>The search.</summary>
    public LogScan Scan { get; }

    /// <summary>What filters are asked for, text by text.</summary>
    public IReadOnlyList<ushort[]> Hashes { get; }

    /// <summary>The longest required text as it stands in a frame; empty when none is required.</summary>
    public byte[] LongestEscaped { get; } = [];

    /// <summary>Whether a body has all that is required.</summary>
    public bool AreIn(ReadOnlySpan<byte> body)
    {
        foreach (var text in required)
        {
            if (body.IndexOf(text) < 0)
            {
                return false;
            }
        }

        return true;
    }
}
