namespace Lm.Tsdb;

/// <summary>The value that says "this series ended here": one bit pattern among the NaNs, as Prometheus has it (<c>value.StaleNaN</c>).</summary>
public static class StaleMarker
{
    /// <summary>Its bits. Any other NaN is a value.</summary>
    public const long Bits = 0x7ff0000000000002;

    /// <summary>Whether <paramref name="value"/> is the marker; compared by bits, since no NaN equals another.</summary>
    public static bool Is(double value) => BitConverter.DoubleToInt64Bits(value) == Bits;
}
