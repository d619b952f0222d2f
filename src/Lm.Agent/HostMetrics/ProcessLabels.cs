using System.Globalization;
using Lm.Protocol;

namespace Lm.Agent.HostMetrics;

/// <summary>The labels of processes, made once for each and kept while it is among the largest.</summary>
/// <remarks>Bounded: when all places are taken, the process that was asked for longest ago loses its place.</remarks>
/// <param name="processMax">The most processes that one tick asks for.</param>
internal sealed class ProcessLabels(int processMax)
{
    // Processes that change places at the cap do not make new strings at every tick.
    private const int PlacesForEach = 4;

    private readonly Entry[] entries = new Entry[Math.Max(1, PlacesForEach * processMax)];
    private long useCount;

    /// <summary>The labels of a process.</summary>
    /// <param name="process">The process.</param>
    /// <param name="startTime">When it started, seconds since 1970.</param>
    /// <returns><c>pid</c>, <c>start_time</c> and <c>comm</c>; valid until the next call.</returns>
    public ReadOnlySpan<Label> Of(in ProcessCandidate process, long startTime)
    {
        useCount++;
        ref var entry = ref Find(process.Pid, process.StartTicks, startTime);
        entry.LastUse = useCount;
        if (entry.Labels is null || entry.Pid != process.Pid || entry.StartTicks != process.StartTicks || entry.StartTime != startTime)
        {
            entry.Pid = process.Pid;
            entry.StartTicks = process.StartTicks;
            entry.StartTime = startTime;
            entry.Name = process.Name;
            entry.Labels =
            [
                new Label("pid", process.Pid.ToString(CultureInfo.InvariantCulture)),
                new Label("start_time", startTime.ToString(CultureInfo.InvariantCulture)),
                new Label("comm", LabelText.From(process.Name.Bytes)),
            ];
        }
        else if (!entry.Name.Bytes.SequenceEqual(process.Name.Bytes))
        {
            // A process may rename itself, and does so when it executes another program.
            entry.Name = process.Name;
            entry.Labels[2] = new Label("comm", LabelText.From(process.Name.Bytes));
        }

        return entry.Labels;
    }

    private ref Entry Find(int pid, ulong startTicks, long startTime)
    {
        var oldest = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i].Pid == pid && entries[i].StartTicks == startTicks && entries[i].StartTime == startTime)
            {
                return ref entries[i];
            }

            oldest = entries[i].LastUse < entries[oldest].LastUse ? i : oldest;
        }

        return ref entries[oldest];
    }

    private struct Entry
    {
        public int Pid;
        public ulong StartTicks;
        public long StartTime;
        public long LastUse;
        public KernelName Name;
        public Label[]? Labels;
    }
}
