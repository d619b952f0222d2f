using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>One source of host metrics: a name, and samples for a tick.</summary>
internal interface IMetricSource
{
    /// <summary>The name that failures are counted and logged under.</summary>
    string Name { get; }

    /// <summary>Reads and adds this tick's samples: all of them, or none and the reason.</summary>
    /// <param name="sink">Where the samples go.</param>
    SourceOutcome Collect(ISampleSink sink);
}

/// <summary>A source that may have to wait for something other than the kernel's memory.</summary>
internal interface IWaitingSource
{
    /// <summary>What is left of the tick's time; set before each round.</summary>
    TimeSpan Patience { set; }
}

/// <summary>How one source fared in one tick.</summary>
/// <param name="SeriesCount">Series that were added; 0 when <paramref name="Fault"/> says why not.</param>
/// <param name="Fault">Why nothing was added; <see cref="SourceFault.None"/> when all went well.</param>
/// <param name="OmittedCount">Things that should have had series and got none: beyond a bound, unreadable, or named like another.</param>
internal readonly record struct SourceOutcome(int SeriesCount, SourceFault Fault, int OmittedCount = 0)
{
    /// <summary>Nothing was added, and nothing is wrong: this host has no such thing.</summary>
    public static SourceOutcome NotHere => Added(0);

    /// <summary>The samples were added.</summary>
    /// <param name="seriesCount">How many.</param>
    public static SourceOutcome Added(int seriesCount) => new(seriesCount, SourceFault.None);

    /// <summary>Nothing was added: a system call failed.</summary>
    /// <param name="subject">The file or folder.</param>
    /// <param name="errno">What the kernel answered.</param>
    public static SourceOutcome Unreadable(string subject, int errno) => new(0, new SourceFault(subject, "", errno));

    /// <summary>Nothing was added: a file could not be read, or is not there because the kernel does not have the thing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="errno">What the kernel answered.</param>
    public static SourceOutcome UnreadableOrNotHere(KeptFile file, int errno) => errno == Libc.NotFound ? NotHere : Unreadable(file.Name, errno);

    /// <summary>Nothing was added: what was read is not in the expected form.</summary>
    /// <param name="subject">The file or folder.</param>
    /// <param name="expected">What was expected there.</param>
    public static SourceOutcome Malformed(string subject, string expected) => new(0, new SourceFault(subject, expected, 0));
}

/// <summary>Why a source added nothing. Plain values, so that a source that fails at every tick allocates nothing: the sentence is made
/// only when it is logged.</summary>
/// <param name="Subject">The file or folder; empty for no fault.</param>
/// <param name="Expected">What was expected there, when it could be read.</param>
/// <param name="Errno">What the kernel answered, when it could not.</param>
internal readonly record struct SourceFault(string Subject, string Expected, int Errno)
{
    /// <summary>No fault.</summary>
    public static SourceFault None => new("", "", 0);

    /// <summary>Whether there is no fault.</summary>
    public bool IsNone => Subject.Length == 0;

    /// <summary>The fault as a sentence for people.</summary>
    public override string ToString() => Errno == 0
        ? $"{Subject}: expected {Expected}"
        : $"{Subject}: {Libc.Describe(Errno)}";
}
