using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query;

/// <summary>A log query for lines one at a time, as they come in rather than from the store. For one thread at a time; a line that is left out allocates nothing.</summary>
public sealed class LogLineFilter
{
    // Streams whose answer is remembered.
    private const int StreamsMax = 4096;

    private readonly PipelineProgram program;
    private readonly EntryStage stage;
    private readonly Dictionary<LogStream, bool> streams = [];

    internal LogLineFilter(PipelineProgram program)
    {
        this.program = program;
        stage = new EntryStage(program, after: null, isBackward: false);
    }

    /// <summary>Whether lines of a stream are looked at at all.</summary>
    /// <exception cref="LogQueryException">A regular expression takes too long.</exception>
    public bool Selects(LogStream stream)
    {
        if (streams.TryGetValue(stream, out var isSelected))
        {
            return isSelected;
        }

        if (streams.Count == StreamsMax)
        {
            streams.Clear();
        }

        try
        {
            return streams[stream] = program.Selects(stream);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException exception)
        {
            throw new LogQueryException("a regular expression takes longer than a second for one label value: simplify it", exception);
        }
    }

    /// <summary>Looks at one line.</summary>
    /// <param name="line">The line; nothing of it is kept.</param>
    /// <param name="taken">What the query makes of it; null when false.</param>
    /// <returns>False when the query leaves it out.</returns>
    /// <exception cref="LogQueryException">A regular expression takes too long.</exception>
    public bool TryTake(in LogLine line, out LogEntry? taken)
    {
        taken = null;
        return Selects(line.Stream) && stage.TryTake(line, out taken);
    }
}
