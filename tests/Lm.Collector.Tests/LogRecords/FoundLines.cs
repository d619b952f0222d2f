using System.Text;
using Lm.Collector.LogRecords;
using Lm.Logs;

namespace Lm.Collector.Tests.LogRecords;

/// <summary>What a search of a log storage finds.</summary>
internal static class FoundLines
{
    /// <summary>All lines: stream, body, attributes.</summary>
    public static List<string> Lines(this LogStorage logs)
    {
        var scan = new LogScan { From = 0, Until = long.MaxValue, Stream = static _ => true };
        return [.. logs.Reader.Read(scan, static () => new Stage(), new LogScanStatistics(), TestContext.Current.CancellationToken)];
    }

    private sealed class Stage : ILineStage<string>
    {
        public bool TryTake(in LogLine line, out string taken)
        {
            var labels = line.Stream.Labels.Select(static label => $"{label.Name}={label.Value}");
            var attributes = line.Attributes.Select(static field => $" {field.Name}={field.Value}");
            taken = $"{{{string.Join(",", labels)}}} {Encoding.UTF8.GetString(line.Body)}{string.Concat(attributes)}";
            return true;
        }

        public long SizeOf(string taken) => taken.Length;
    }
}
