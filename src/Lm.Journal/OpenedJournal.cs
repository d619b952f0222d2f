using Lm.Platform.Files;

namespace Lm.Journal;

/// <summary>A recovered journal, ready to be written.</summary>
/// <param name="Id">Its id.</param>
/// <param name="IdIsStored">Whether <c>journal.id</c> holds it.</param>
/// <param name="Segments">Its segments.</param>
/// <param name="NextSegment">The number of the next segment.</param>
/// <param name="Current">The newest segment's file when appends may go on there.</param>
/// <param name="Recovery">What was found.</param>
internal sealed record OpenedJournal(
    Guid Id, bool IdIsStored, SegmentList Segments, uint NextSegment, IFileHandle? Current, JournalRecovery Recovery);
