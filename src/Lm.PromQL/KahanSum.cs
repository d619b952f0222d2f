using System.Runtime.CompilerServices;

namespace Lm.PromQL;

/// <summary>A sum and what rounding took from it: Kahan's summation with Neumaier's improvement.</summary>
/// <remarks>Source: https://en.wikipedia.org/wiki/Kahan_summation_algorithm. The order of operations is part of the answer's last digits.</remarks>
internal static class KahanSum
{
    /// <summary>Adds a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="sum">The sum so far.</param>
    /// <param name="rest">What rounding took from it.</param>
    /// <param name="dropsRestAtInfinity">Whether an infinite sum has no rest, as since Prometheus 3; it became NaN before.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(double value, ref double sum, ref double rest, bool dropsRestAtInfinity)
    {
        var total = sum + value;
        if (dropsRestAtInfinity && double.IsInfinity(total))
        {
            rest = 0;
        }
        else if (Math.Abs(sum) >= Math.Abs(value))
        {
            rest += (sum - total) + value;
        }
        else
        {
            rest += (value - total) + sum;
        }

        sum = total;
    }
}
