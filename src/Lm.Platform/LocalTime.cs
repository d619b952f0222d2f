using System.Runtime.InteropServices;

namespace Lm.Platform;

/// <summary>Times of this host's clocks on the wall, as programs without a time zone write them.</summary>
/// <remarks>Source: mktime(3), whose zone is <c>/etc/localtime</c> or <c>TZ</c>. Not .NET's: the agent is published without time zones, which cost resident memory.</remarks>
public static partial class LocalTime
{
    /// <summary>The time at which the wall clock shows a civil time. Where it shows it twice, or never, one near it.</summary>
    /// <param name="civilSeconds">The civil time, as seconds since 1970 as if it were UTC.</param>
    /// <returns>Seconds since 1970.</returns>
    public static long ToUnixSeconds(long civilSeconds)
    {
        var civil = DateTimeOffset.FromUnixTimeSeconds(civilSeconds);
        var broken = new BrokenDown
        {
            Second = civil.Second,
            Minute = civil.Minute,
            Hour = civil.Hour,
            Day = civil.Day,
            Month = civil.Month - 1,
            Year = civil.Year - 1900,
            IsSummerTime = -1,
        };
        return MakeTime(ref broken);
    }

    [LibraryImport("libc", EntryPoint = "mktime")]
    private static partial long MakeTime(ref BrokenDown time);

    /// <summary>struct tm of 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 56)]
    private struct BrokenDown
    {
        public int Second;
        public int Minute;
        public int Hour;
        public int Day;
        public int Month;
        public int Year;
        public int WeekDay;
        public int YearDay;
        public int IsSummerTime;
    }
}
