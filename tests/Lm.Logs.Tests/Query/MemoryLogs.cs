using System.Text;

namespace Lm.Logs.Tests.Query;

/// <summary>Lines in memory behind the seam that queries read through. Two stages share the work, as two threads would.</summary>
internal sealed class MemoryLogs : ILogReader
{
    private const int StagesCount = 2;
    private readonly List<Line> lines = [];

    /// <summary>How often a search was made.</summary>
    public int Searches { get; private set; }

    /// <summary>What the last search asked for.</summary>
    public LogScan? LastScan { get; private set; }

    /// <summary>What a search runs into before each line, as damage on disk.</summary>
    public Action? BeforeLine { get; set; }

    /// <summary>Adds a line to <c>{instance="web1"}</c> or another stream; lines of one time keep their order.</summary>
    public MemoryLogs Add(long time, string body, string stream = "instance=web1", params (string Name, string Value)[] attributes)
    {
        var labels = stream.Split(',').Select(label => label.Split('=', 2)).Select(label => new LogField(label[0], label[1]));
        lines.Add(new Line(
            time, new LogStream(labels), Encoding.UTF8.GetBytes(body), [.. attributes.Select(attribute => new LogField(attribute.Name, attribute.Value))],
            new LogIdentity(7, (ulong)lines.Count + 1, 0)));
        return this;
    }

    public void EachStream(long from, long until, Action<LogStream> look, CancellationToken cancellationToken) =>
        lines.Where(line => line.Time >= from && line.Time < until).Select(line => line.Stream).Distinct().ToList().ForEach(look);

    public LogExtent Measure(long from, long until, Func<LogStream, bool> stream, CancellationToken cancellationToken)
    {
        var meant = lines.Where(line => line.Time >= from && line.Time < until && stream(line.Stream)).ToList();
        return new LogExtent(meant.Count > 0 ? 1 : 0, meant.Count, meant.Sum(static line => line.Body.Length));
    }

    public IEnumerable<T> Read<T>(LogScan scan, Func<ILineStage<T>> stages, LogScanStatistics statistics, CancellationToken cancellationToken)
    {
        Searches++;
        LastScan = scan;
        var workers = Enumerable.Range(0, StagesCount).Select(_ => stages()).ToArray();
        var found = lines.Where(line => line.Time >= scan.From && line.Time < scan.Until && scan.Stream(line.Stream)
            && scan.Required.All(text => line.Body.AsSpan().IndexOf(text) >= 0));
        var ordered = found.OrderBy(line => line.Time).ThenBy(line => line.Stream.Instance, StringComparer.Ordinal).ThenBy(line => line.Identity.Sequence).ToList();
        if (scan.IsBackward)
        {
            ordered.Reverse();
        }

        for (var i = 0; i < ordered.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            BeforeLine?.Invoke();
            statistics.CountRead(ordered[i].Body.Length, 1);
            if (workers[i % StagesCount].TryTake(ordered[i].View(), out var taken))
            {
                yield return taken;
            }
        }
    }

    private sealed record Line(long Time, LogStream Stream, byte[] Body, LogField[] Attributes, LogIdentity Identity)
    {
        public LogLine View() => new(Time, Stream, Body, Attributes, Identity);
    }
}
