using Lm.Tsdb;

namespace Lm.PromQL.Functions;

/// <summary><c>year</c>, <c>day_of_week</c> and the like, in UTC, of seconds since 1970.</summary>
internal static class Dates
{
    // Go's year -292277022399 to the year 1, in whole cycles of 400 years, and from there to 1970.
    private const long FirstDayBefore1970 = (730_692_556L * 146_097) + 719_162;

    private const long DaySeconds = 86_400;

    public static bool Has(string name) => Find(name) is not null;

    public static bool TryEvaluate(FunctionCall call, Evaluator evaluator, TimeGrid grid, out List<StepSeries> result)
    {
        result = [];
        if (Find(call.Function.Name) is not { } function)
        {
            return false;
        }

        if (call.Arguments.Count == 0)
        {
            var values = new double[grid.Count];
            for (var step = 0; step < values.Length; step++)
            {
                values[step] = function(grid[step] / 1000);
            }

            result = [new StepSeries(LabelSet.Empty, 0, values, values.Length)];
            return true;
        }

        var list = evaluator.Vector(call.Arguments[0], grid);
        foreach (var series in list)
        {
            evaluator.Scope.Budget.Work(series.Values.Length * 4);
            foreach (ref var value in series.Values.AsSpan())
            {
                value = StepSeries.IsAbsent(value) ? value : function(ToSeconds(value));
            }
        }

        result = SeriesMerger.WithoutName(list, evaluator.Scope.Semantics, mayMerge: grid.Count > 1);
        return true;
    }

    private static Func<long, double>? Find(string name) => name switch
    {
        "minute" => static seconds => SecondOfDay(seconds) % 3600 / 60,
        "hour" => static seconds => SecondOfDay(seconds) / 3600,
        "day_of_week" => static seconds => Modulo(DayOf(seconds) + 4, 7), // 1970 began on a Thursday
        "day_of_month" => static seconds => Date(seconds).Day,
        "day_of_year" => static seconds => DayOf(seconds) - FirstDay(Date(seconds).Year, 1) + 1,
        "days_in_month" => static seconds => DaysIn(Date(seconds).Year, Date(seconds).Month),
        "month" => static seconds => Date(seconds).Month,
        "year" => static seconds => Date(seconds).Year,
        _ => null,
    };

    // What is no 64-bit number becomes the lowest one, as on the processors that Prometheus runs on.
    private static long ToSeconds(double value) => value is >= long.MinValue and < long.MaxValue ? (long)value : long.MinValue;

    // Go counts seconds from a day 292 thousand million years before ours, in 64 bits that wrap around: times before that day are far in the future.
    private static ulong SinceFirstDay(long seconds) => unchecked((ulong)seconds + ((ulong)FirstDayBefore1970 * DaySeconds));

    private static long SecondOfDay(long seconds) => (long)(SinceFirstDay(seconds) % DaySeconds);

    private static long Modulo(long value, long by) => ((value % by) + by) % by;

    private static long DayOf(long seconds) => (long)(SinceFirstDay(seconds) / DaySeconds) - FirstDayBefore1970;

    // Proleptic Gregorian for any year, where DateTime ends at 9999. Years are counted from March, so that the leap day is the last;
    // source: http://howardhinnant.github.io/date_algorithms.html, civil_from_days.
    private static (long Year, int Month, int Day) Date(long seconds)
    {
        var days = DayOf(seconds) + 719_468; // since 0000-03-01
        var era = (days - Modulo(days, 146_097)) / 146_097;
        var dayOfEra = Modulo(days, 146_097);
        var yearOfEra = (dayOfEra - (dayOfEra / 1460) + (dayOfEra / 36_524) - (dayOfEra / 146_096)) / 365;
        var dayOfYear = dayOfEra - ((365 * yearOfEra) + (yearOfEra / 4) - (yearOfEra / 100));
        var march = ((5 * dayOfYear) + 2) / 153;
        var month = (int)(march < 10 ? march + 3 : march - 9);
        return (yearOfEra + (era * 400) + (month <= 2 ? 1 : 0), month, (int)(dayOfYear - (((153 * march) + 2) / 5) + 1));
    }

    private static long FirstDay(long year, int month)
    {
        var shifted = month <= 2 ? year - 1 : year;
        var yearOfEra = Modulo(shifted, 400);
        var dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9)) + 2) / 5;
        return ((shifted - yearOfEra) / 400 * 146_097) + (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear - 719_468;
    }

    private static long DaysIn(long year, int month) =>
        (month == 12 ? FirstDay(year + 1, 1) : FirstDay(year, month + 1)) - FirstDay(year, month);
}
