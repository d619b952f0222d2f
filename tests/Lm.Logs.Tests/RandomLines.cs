using System.Text;

namespace Lm.Logs.Tests;

/// <summary>Lines of all kinds, from a seed; every identity once.</summary>
internal sealed class RandomLines(int seed)
{
    public const long Start = 1_767_326_400_000; // 2026-01-02T04:00:00Z

    private static readonly string[] Words =
        ["timeout", "connection refused", "GET /index.html", "user=root", "x", "", "\"quoted\" \\path\\", "\u0000\u0001\u001b[31mred\u001b[0m\u007f", "line\r\n\tbreak",
            "<script>alert(1)</script>", "\u2028\u2029\u0085", "日本語のログ", "😀 𝕏", "null", "{\"a\":1}", "\",\"body\":\"", ",\"queue_id\":\"", "\\u0041", "caf\u00e9"];

    private readonly Random random = new(seed);
    private readonly Dictionary<string, ulong> sequences = [];

    /// <summary>A batch of one agent: lines of one sequence, of times around a moment.</summary>
    public List<Line> Batch(long around, int spreadMs, int count)
    {
        var agent = random.Next(4) == 0 ? "düsseldorf" : $"web{random.Next(3)}";
        var sequence = sequences[agent] = sequences.GetValueOrDefault(agent) + 1;
        var queue = new UInt128(0, (ulong)agent.Length);
        return [.. Enumerable.Range(0, count).Select(i => Make(agent, new LogIdentity(queue, sequence, i), Math.Max(0, around + random.Next(-spreadMs, spreadMs + 1))))];
    }

    public string Body()
    {
        var text = new StringBuilder();
        for (var i = random.Next(4); i >= 0; i--)
        {
            text.Append(random.Next(5) == 0 ? random.Next(100_000).ToString(System.Globalization.CultureInfo.InvariantCulture) : Words[random.Next(Words.Length)]);
            text.Append(random.Next(3) == 0 ? "" : " ");
        }

        return text.ToString();
    }

    private Line Make(string agent, LogIdentity identity, long time)
    {
        var labels = new List<LogField> { new("instance", agent), new("site", "lab \"7\"") };
        if (random.Next(3) > 0)
        {
            labels.Add(new LogField("input", random.Next(2) == 0 ? "syslog" : "nginx\n"));
        }

        if (random.Next(2) == 0)
        {
            labels.Add(new LogField("severity", random.Next(2) == 0 ? "info" : "error2"));
        }

        LogField[] attributes = random.Next(3) switch { 0 => [], 1 => [new("status", "500")], _ => [new("a", Body()), new("pid", "7")] };
        return new Line(time, [.. labels], identity, Body(), [.. attributes.Where(static field => field.Value.Length > 0)]);
    }
}
