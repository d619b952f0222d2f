using System.Text;
using Lm.Platform;

namespace Lm.Logs.Tests;

/// <summary>A line as tests make and compare it.</summary>
internal sealed record Line(long Time, LogField[] Labels, LogIdentity Identity, string Body, LogField[] Attributes)
{
    public LogStream Stream => new(Labels);

    /// <summary>All of it as one text, for comparing.</summary>
    public override string ToString() =>
        $"{Time} {Identity.QueueId:x}/{Identity.Sequence}/{Identity.Index} {{{string.Join(",", Stream.Labels)}}} {Body} [{string.Join(",", Attributes)}]";

    public void AddTo(LogStore store, Dictionary<LogStream, StreamHead> heads, long receivedAt)
    {
        if (!heads.TryGetValue(Stream, out var head))
        {
            heads.Add(Stream, head = new StreamHead(Stream));
        }

        var attributes = new LogAttributes();
        foreach (var (name, value) in Attributes)
        {
            attributes.Add(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }

        store.Append(new IncomingLine(Time, head, Identity, Encoding.UTF8.GetBytes(Body), attributes), new UnixMillis(receivedAt));
    }

    /// <summary>Negative when this comes first in the order of the store.</summary>
    public int CompareTo(Line other)
    {
        var byTime = Time.CompareTo(other.Time);
        var byInstance = byTime != 0 ? byTime : string.CompareOrdinal(Stream.Instance, other.Stream.Instance);
        return byInstance != 0 ? byInstance : Identity.CompareTo(other.Identity);
    }
}

/// <summary>Takes every line whole.</summary>
internal sealed class LineStage : ILineStage<Line>
{
    public bool TryTake(in LogLine line, out Line taken)
    {
        taken = new Line(line.Time, [.. line.Stream.Labels], line.Identity, Encoding.UTF8.GetString(line.Body), [.. line.Attributes]);
        return true;
    }

    public long SizeOf(Line taken) => taken.Body.Length;
}

internal static class Reading
{
    /// <summary>What a search finds, as texts.</summary>
    public static List<string> All(this ILogReader reader, LogScan? scan = null, LogScanStatistics? statistics = null) =>
        [.. reader.Read(scan ?? Everything, static () => new LineStage(), statistics ?? new LogScanStatistics(), TestContext.Current.CancellationToken).Select(static line => line.ToString())];

    public static LogScan Everything { get; } = new() { From = 0, Until = long.MaxValue, Stream = static _ => true };
}
