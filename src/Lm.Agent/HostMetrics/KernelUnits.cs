namespace Lm.Agent.HostMetrics;

/// <summary>The units that a kernel reports times and memory in.</summary>
/// <param name="TicksPerSecond">Units of CPU and start times per second: <c>sysconf(_SC_CLK_TCK)</c>, 100 on almost every kernel.</param>
/// <param name="PageBytes">Bytes of a memory page.</param>
internal readonly record struct KernelUnits(long TicksPerSecond, long PageBytes)
{
    /// <summary>Those of the running kernel.</summary>
    public static KernelUnits OfThisHost()
    {
        var ticks = Libc.ClockTicksPerSecond;
        // 100 is USER_HZ of every architecture that .NET runs on; libc always says so, and a division by zero must not be possible.
        return new KernelUnits(ticks > 0 ? ticks : 100, Environment.SystemPageSize);
    }

    /// <summary>Kernel ticks as seconds.</summary>
    /// <param name="ticks">The ticks.</param>
    public double Seconds(ulong ticks) => ticks / (double)TicksPerSecond;

    /// <summary>Memory pages as bytes.</summary>
    /// <param name="pages">The pages.</param>
    public double Bytes(ulong pages) => pages * (double)PageBytes;
}
