namespace Lm.Tsdb.Head;

/// <summary>Puts samples of several sources in one order, each time once.</summary>
internal static class HeadMerge
{
    /// <summary>Sorts samples by time; of those for one time the one that stood first comes first.</summary>
    public static void Sort(SampleBuffer samples)
    {
        var times = samples.Times;
        var isSorted = true;
        for (var i = 1; i < times.Length && isSorted; i++)
        {
            isSorted = times[i - 1] < times[i];
        }

        if (isSorted)
        {
            return;
        }

        var keys = new (long Time, int Order)[times.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = (times[i], i);
        }

        var values = samples.Values.ToArray();
        Array.Sort(keys);
        samples.Clear();
        foreach (var (time, order) in keys)
        {
            samples.Add(time, values[order]);
        }
    }

    /// <summary>Appends two runs as one; for a time that both have the first run's sample counts.</summary>
    public static void Merge(SampleBuffer first, SampleBuffer second, SampleBuffer into)
    {
        var (left, right) = (0, 0);
        while (left < first.Count || right < second.Count)
        {
            var isLeft = right >= second.Count || (left < first.Count && first.Times[left] <= second.Times[right]);
            var time = isLeft ? first.Times[left] : second.Times[right];
            into.Add(time, isLeft ? first.Values[left] : second.Values[right]);
            while (left < first.Count && first.Times[left] == time)
            {
                left++;
            }

            while (right < second.Count && second.Times[right] == time)
            {
                right++;
            }
        }
    }
}
