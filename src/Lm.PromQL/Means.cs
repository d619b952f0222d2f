namespace Lm.PromQL;

/// <summary>What means that move from value to value have in common.</summary>
internal static class Means
{
    /// <summary>Whether a mean that is infinite stays what it is: it does unless the value is NaN or the other infinity.</summary>
    /// <remarks>Moving it would take infinity off itself, which is NaN.</remarks>
    public static bool StaysInfinite(double mean, double value) => double.IsInfinity(mean) && (double.IsFinite(value) || value == mean);
}
