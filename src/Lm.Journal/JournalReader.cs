using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>Reads a journal's directory without its owner's help and without changing anything: for tools and tests.</summary>
public static class JournalReader
{
    /// <summary>Reads every valid record, oldest first, preambles included (see <see cref="JournalRecord.IsPreamble"/>); damage is
    /// passed over, a torn tail and refused groups are left out. Beside a running owner it may see records at the very end whose
    /// sync is still under way, and ends with <see cref="FileNotFoundException"/> when a segment is deleted meanwhile.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="directory">The journal's directory.</param>
    /// <param name="recordSizeMax">The largest record that the journal takes.</param>
    public static IEnumerable<JournalRecord> ReadDirectory(IFileSystem files, string directory, int recordSizeMax = 40 << 20)
    {
        var survey = JournalSurvey.Take(files, directory);
        var cursor = new SegmentCursor(recordSizeMax);
        for (var at = 0; at < survey.Segments.Count; at++)
        {
            var segment = survey.Segments[at];
            using var file = OpenSegment(files, directory, segment.Number);
            var named = at + 1 < survey.Segments.Count ? JournalSurvey.NamedEnd(segment, survey.Segments[at + 1]) : null;
            var limit = named ?? segment.Length;
            cursor.Begin(
                file, SegmentFormat.Salt(survey.Id!.Value, segment.Number), SegmentFormat.HeaderSize, limit, named ?? SegmentFormat.HeaderSize,
                limitIsFileEnd: named is null);
            for (var step = cursor.MoveNext(); step != SegmentStep.End; step = cursor.MoveNext())
            {
                if (step == SegmentStep.Record)
                {
                    yield return RecordAt(cursor, segment.Number);
                }
            }
        }
    }

    internal static JournalRecord RecordAt(SegmentCursor cursor, uint segment) => new(
        new JournalPosition(segment, cursor.Offset), new JournalPosition(segment, cursor.Next), cursor.Header.IsPreamble, cursor.Payload);

    internal static IFileHandle OpenSegment(IFileSystem files, string directory, uint segment)
    {
        var path = Path.Combine(directory, SegmentFormat.FileName(segment));
        try
        {
            return files.Open(path, writable: false);
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            throw new FileNotFoundException($"{path} was deleted while the journal was read", path, failure);
        }
    }
}
