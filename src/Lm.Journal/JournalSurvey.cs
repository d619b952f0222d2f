using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>What lies in a journal's directory, read without changing anything.</summary>
/// <param name="Id">The journal's id; null when neither <c>journal.id</c> nor any segment tells.</param>
/// <param name="IdIsStored">Whether <c>journal.id</c> holds it.</param>
/// <param name="Segments">The journal's own segments, oldest first.</param>
/// <param name="Void">Segments whose creation failed and was given up: a later header passes over them.</param>
/// <param name="Foreign">Segments of another journal, or under a name that is not theirs.</param>
internal sealed record JournalSurvey(
    Guid? Id, bool IdIsStored, List<FoundSegment> Segments, List<FoundSegment> Void, List<FoundSegment> Foreign)
{
    /// <summary>A number above all that are taken.</summary>
    public uint NextNumber => Segments.Concat(Void).Concat(Foreign).Max(segment => (uint?)segment.Number + 1) ?? 0;

    public static JournalSurvey Take(IFileSystem files, string directory)
    {
        var found = new List<FoundSegment>();
        foreach (var name in files.List(directory))
        {
            if (SegmentFormat.TryParseFileName(name, out var number)
                && FoundSegment.TryRead(files, directory, number) is { } segment)
            {
                found.Add(segment);
            }
        }

        var stored = JournalIdentity.Read(files, directory);
        var id = ChooseId(found, stored);
        var foreign = found.FindAll(segment => !segment.MayBelongTo(id));
        var own = found.FindAll(segment => segment.MayBelongTo(id));
        var given = own.FindAll(segment => own.Exists(later => later.PassesOver(segment.Number)));
        return new JournalSurvey(id, stored is not null && stored == id, own.FindAll(segment => !given.Contains(segment)), given, foreign);
    }

    /// <summary>Where a segment's committed records end: what the next segment's header says, or null when it does not say.</summary>
    public static long? NamedEnd(FoundSegment segment, FoundSegment next) =>
        next.Header is { } header && header.Previous == segment.Number ? header.PreviousEnd : null;

    // A stray file of another journal must not outvote the rest, nor may a restored journal.id.
    private static Guid? ChooseId(List<FoundSegment> found, Guid? stored)
    {
        var votes = found
            .Where(segment => segment.Header?.Segment == segment.Number)
            .GroupBy(segment => segment.Header!.Value.Journal)
            .OrderByDescending(group => group.Count())
            .ThenByDescending(group => group.Key == stored)
            .ThenByDescending(group => group.Max(segment => segment.Number))
            .FirstOrDefault();
        return votes?.Key ?? (found.Count > 0 ? stored : null);
    }
}

/// <summary>A segment file as found.</summary>
/// <param name="Number">The number in its name.</param>
/// <param name="Header">Its header; null when damaged.</param>
/// <param name="Length">Its length in bytes.</param>
internal sealed record FoundSegment(uint Number, SegmentHeader? Header, long Length)
{
    /// <summary>Reads a segment's header; null when the file has gone.</summary>
    public static FoundSegment? TryRead(IFileSystem files, string directory, uint number)
    {
        try
        {
            using var file = files.Open(Path.Combine(directory, SegmentFormat.FileName(number)), writable: false);
            return Read(file, number);
        }
        catch (FileSystemException failure) when (failure.IsNotFound)
        {
            return null;
        }
    }

    public static FoundSegment Read(IFileHandle file, uint number)
    {
        Span<byte> bytes = stackalloc byte[SegmentFormat.HeaderSize];
        var count = file.Read(0, bytes);
        return new FoundSegment(
            number, SegmentFormat.TryReadHeader(bytes[..count], file.Path, out var header) ? header : null, file.Length);
    }

    /// <summary>Whether it is a segment of the journal, as far as its header tells.</summary>
    public bool MayBelongTo(Guid? journal) =>
        journal is not null && (Header is not { } header || (header.Journal == journal && header.Segment == Number));

    /// <summary>Whether this segment was begun when <paramref name="number"/> did not count.</summary>
    public bool PassesOver(uint number) =>
        Header is { } header && number < Number && (header.Previous is not { } previous || number > previous);
}
