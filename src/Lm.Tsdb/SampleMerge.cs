namespace Lm.Tsdb;

/// <summary>Puts runs of samples together: of two samples for one time the earlier run's stays.</summary>
/// <remarks>Not safe for concurrent use; keeps its memory.</remarks>
internal sealed class SampleMerge
{
    private readonly SampleBuffer spare = new();

    /// <summary>Merges the run behind <paramref name="start"/> with that behind <paramref name="second"/> in place.</summary>
    /// <param name="samples">Two runs, each ascending, the one with precedence first.</param>
    /// <param name="start">Where the first begins.</param>
    /// <param name="second">Where the second begins.</param>
    public void Merge(SampleBuffer samples, int start, int second)
    {
        if (second == start || second == samples.Count || samples.Times[second - 1] < samples.Times[second])
        {
            return; // one behind the other already
        }

        spare.Clear();
        var times = samples.Times;
        var values = samples.Values;
        var (i, j) = (start, second);
        while (i < second && j < times.Length)
        {
            if (times[i] <= times[j])
            {
                j += times[i] == times[j] ? 1 : 0;
                spare.Add(times[i], values[i++]);
            }
            else
            {
                spare.Add(times[j], values[j++]);
            }
        }

        var (from, until) = i < second ? (i, second) : (j, times.Length);
        Append(spare, times[from..until], values[from..until]);
        samples.Truncate(start);
        Append(samples, spare.Times, spare.Values);
    }

    private static void Append(SampleBuffer target, ReadOnlySpan<long> times, ReadOnlySpan<double> values)
    {
        target.Reserve(times.Length, out var freeTimes, out var freeValues);
        times.CopyTo(freeTimes);
        values.CopyTo(freeValues);
        target.Advance(times.Length);
    }
}
