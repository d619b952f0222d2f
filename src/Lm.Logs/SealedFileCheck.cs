using Lm.Logs.Files;
using Lm.Platform.Files;

namespace Lm.Logs;

/// <summary>Reads a sealed file and its index through: every frame, every line.</summary>
public static class SealedFileCheck
{
    /// <summary>Checks one.</summary>
    /// <param name="file">The file.</param>
    /// <param name="index">The bytes of its index.</param>
    /// <param name="lines">How many lines it has.</param>
    /// <returns>Null, or what is wrong.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static string? Run(IFileHandle file, byte[] index, out long lines)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(index);
        lines = 0;
        var end = new byte[LogFooter.Size];
        var count = file.Read(Math.Max(0, file.Length - end.Length), end);
        if (LogFooter.Read(end.AsSpan(0, count), out var footer) is { } footerFault)
        {
            return footerFault;
        }

        var survey = FileSurvey.Run(file, file.Length, out _, out var damaged).Index;
        lines = survey.Frames.Sum(static frame => (long)frame.Lines);
        if (damaged > 0 || lines != footer!.Lines || survey.Frames.Count != footer.Frames)
        {
            return $"{damaged} places cannot be read; it has {lines} lines in {survey.Frames.Count} frames, its footer says {footer!.Lines} in {footer.Frames}";
        }

        if (IndexFormat.Read(index, out var read, out var length) is { } indexFault)
        {
            return $"its index: {indexFault}";
        }

        return length == file.Length && read!.Frames.Sum(static frame => (long)frame.Lines) == lines
            ? null
            : $"its index is that of another file: of {length} bytes";
    }
}
