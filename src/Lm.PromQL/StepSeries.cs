using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Lm.Tsdb;

namespace Lm.PromQL;

/// <summary>A series over a grid: one place for each step from its first to its last sample.</summary>
/// <remarks>A place without a sample holds the staleness marker. No value is ever equal to it: selectors drop markers, and arithmetic on a NaN sets a
/// bit that the marker lacks. So no second array has to say what is there. Owned by whoever got it last, who may write to it.</remarks>
/// <param name="labels">Its labels.</param>
/// <param name="first">The step of the first place.</param>
/// <param name="values">The places.</param>
/// <param name="count">How many of them hold a sample.</param>
internal sealed class StepSeries(LabelSet labels, int first, double[] values, int count)
{
    public static readonly double Absent = BitConverter.Int64BitsToDouble(StaleMarker.Bits);

    public LabelSet Labels { get; set; } = labels;

    /// <summary>The step of the first place.</summary>
    public int First => first;

    /// <summary>The step behind the last place.</summary>
    public int End => first + values.Length;

    /// <summary>The places, from step <see cref="First"/> on.</summary>
    public double[] Values => values;

    /// <summary>How many places hold a sample.</summary>
    public int Count => count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsAbsent(double value) => BitConverter.DoubleToInt64Bits(value) == StaleMarker.Bits;

    /// <summary>What stands at a step of the grid.</summary>
    public double At(int step) => (uint)(step - first) < (uint)values.Length ? values[step - first] : Absent;

    /// <summary>A series out of places that will be used again; null when none holds a sample.</summary>
    /// <param name="labels">Its labels.</param>
    /// <param name="offset">The step of the first place.</param>
    /// <param name="places">The places.</param>
    public static StepSeries? FromPlaces(LabelSet labels, int offset, ReadOnlySpan<double> places)
    {
        var bits = MemoryMarshal.Cast<double, long>(places);
        var from = bits.IndexOfAnyExcept(StaleMarker.Bits);
        if (from < 0)
        {
            return null;
        }

        var until = bits.LastIndexOfAnyExcept(StaleMarker.Bits) + 1;
        var missing = bits[from..until].Count(StaleMarker.Bits);
        return new StepSeries(labels, offset + from, places[from..until].ToArray(), until - from - missing);
    }

    /// <summary>The sum of what series hold.</summary>
    public static long CountOf(List<StepSeries> list)
    {
        long sum = 0;
        foreach (var series in list)
        {
            sum += series.Count;
        }

        return sum;
    }
}
