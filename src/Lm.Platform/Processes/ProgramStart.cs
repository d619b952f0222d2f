namespace Lm.Platform.Processes;

/// <summary>What to run, and how long and how much it may.</summary>
/// <param name="Path">The program's path.</param>
/// <param name="Arguments">What follows its name.</param>
public sealed record ProgramStart(string Path, IReadOnlyList<string> Arguments)
{
    /// <summary>The whole environment, lines as <c>LC_ALL=C</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Where it runs; empty for this program's own directory.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>The program's bytes, where those are started instead of what stands at the path now; the caller disposes it after the run.</summary>
    public ProgramImage? Image { get; init; }

    /// <summary>After this it is killed, with everything that it started.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of its standard output; beyond them it is killed.</summary>
    public int OutputBytesMax { get; init; } = 64 << 10;
}
