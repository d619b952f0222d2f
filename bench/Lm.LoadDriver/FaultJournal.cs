using System.Globalization;

namespace Lm.LoadDriver;

/// <summary>What the load has sent and what was acknowledged, in the two files of the fault kit's contract: an ID is written before it is
/// first sent, and after it was acknowledged.</summary>
internal sealed class FaultJournal : IDisposable
{
    private readonly AppendOnlyFile sent;
    private readonly AppendOnlyFile acked;
    private readonly Dictionary<string, SortedSet<ulong>> open = [];
    private readonly Dictionary<string, ulong> highest = [];

    private FaultJournal(string sentFile, string ackedFile)
    {
        foreach (var (agent, sequence) in Read(sentFile))
        {
            highest[agent] = Math.Max(sequence, highest.GetValueOrDefault(agent));
            (open.TryGetValue(agent, out var set) ? set : open[agent] = []).Add(sequence);
        }

        foreach (var (agent, sequence) in Read(ackedFile))
        {
            open.GetValueOrDefault(agent)?.Remove(sequence);
        }

        sent = new AppendOnlyFile(sentFile);
        acked = new AppendOnlyFile(ackedFile);
    }

    public static FaultJournal Open() => new(File("FAULT_SENT"), File("FAULT_ACKED"));

    /// <summary>The time of sequence 0: made at the load's first start and kept beside the files, because a batch that is sent again
    /// after a restart must have the same bytes.</summary>
    public static long BaseMillis(TimeProvider time)
    {
        var file = File("FAULT_SENT") + ".base";
        if (!System.IO.File.Exists(file))
        {
            using var line = new AppendOnlyFile(file);
            line.WriteLine(time.GetUtcNow().AddHours(-1).ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
        }

        return long.Parse(System.IO.File.ReadLines(file).First(), CultureInfo.InvariantCulture);
    }

    /// <summary>Sent and not acknowledged when the files were opened, ascending.</summary>
    public IReadOnlyList<ulong> Unacknowledged(string agent) => open.TryGetValue(agent, out var set) ? [.. set] : [];

    /// <summary>The highest sequence sent when the files were opened; 0 for none.</summary>
    public ulong Highest(string agent) => highest.GetValueOrDefault(agent);

    public void Sent(string agent, ulong sequence) => sent.WriteLine(Id(agent, sequence));

    public void Acknowledged(string agent, ulong sequence) => acked.WriteLine(Id(agent, sequence));

    public void Dispose()
    {
        sent.Dispose();
        acked.Dispose();
    }

    public static string Id(string agent, ulong sequence) => string.Create(CultureInfo.InvariantCulture, $"{agent}:{sequence}");

    /// <summary>The path that the fault kit gave in an environment variable.</summary>
    public static string File(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path
        ? path
        : throw new UsageException($"the environment has no {variable}: the file that the fault kit reads");

    private static IEnumerable<(string Agent, ulong Sequence)> Read(string file)
    {
        if (!System.IO.File.Exists(file))
        {
            yield break;
        }

        foreach (var line in System.IO.File.ReadLines(file))
        {
            var colon = line.LastIndexOf(':');
            if (colon > 0 && ulong.TryParse(line.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
            {
                yield return (line[..colon], sequence);
            }
        }
    }
}
