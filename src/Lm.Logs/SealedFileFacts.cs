using Lm.Logs.Files;
using Lm.Platform;

namespace Lm.Logs;

/// <summary>What a sealed file's last bytes say that others than the store ask for.</summary>
/// <param name="Incarnation">Which spool's records it covers (K12).</param>
/// <param name="Window">Which lines it holds.</param>
/// <param name="Covered">All lines of the window that the spool's records up to this one brought are in this file or in those sealed before it (K13).</param>
public sealed record SealedFileFacts(Guid Incarnation, LogWindow Window, CommitPosition Covered)
{
    /// <summary>How many bytes at the end of a file say it.</summary>
    public const int Size = LogFooter.Size;

    /// <summary>Reads them.</summary>
    /// <param name="end">The last <see cref="Size"/> bytes.</param>
    /// <returns>Null when they are not those of a sealed file.</returns>
    public static SealedFileFacts? TryRead(ReadOnlySpan<byte> end) =>
        LogFooter.Read(end, out var footer) is null ? new SealedFileFacts(footer!.Incarnation, footer.Window, footer.Covered) : null;
}
