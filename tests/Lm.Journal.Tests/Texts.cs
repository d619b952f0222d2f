using System.Text;

using Lm.Platform.Files;

namespace Lm.Journal.Tests;

/// <summary>Journals of short texts, for tests that look at bytes.</summary>
internal static class Texts
{
    public const string Directory = "/spool/journal";

    public static string PathOf(uint segment) => Path.Combine(Directory, SegmentFormat.FileName(segment));

    public static Journal Open(IFileSystem files, JournalOptions? options = null) =>
        Journal.Open(files, Directory, options ?? new JournalOptions());

    public static ValueTask<JournalPosition> AppendAsync(this Journal journal, string text) =>
        journal.AppendAsync(Encoding.UTF8.GetBytes(text), default, null, TestContext.Current.CancellationToken);

    /// <summary>Appends each text as a group of its own.</summary>
    public static async Task<JournalPosition[]> AppendAllAsync(this Journal journal, params string[] texts)
    {
        var positions = new List<JournalPosition>();
        foreach (var text in texts)
        {
            positions.Add(await journal.AppendAsync(text));
        }

        return [.. positions];
    }

    public static string[] Read(this IEnumerable<JournalRecord> records) =>
        [.. records.Select(record => (record.IsPreamble ? "preamble:" : "") + Encoding.UTF8.GetString(record.Payload.Span))];
}
