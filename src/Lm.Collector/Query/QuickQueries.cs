using System.Collections.Concurrent;
using System.Globalization;
using Lm.Platform;

namespace Lm.Collector.Query;

/// <summary>Which instant queries took next to nothing when they were asked last. They are answered on the thread that their bytes came in on: waking another
/// takes longer than they do.</summary>
/// <remarks>What is asked again and again is known after the first time. A query that has become slow is ended there after <see cref="TimeMax"/>, and answered on
/// another thread.</remarks>
internal sealed class QuickQueries(TimeProvider time)
{
    /// <summary>How long a query may hold up other connections of its thread.</summary>
    public static readonly TimeSpan TimeMax = TimeSpan.FromMilliseconds(2);

    private const string Path = "/api/v1/query";
    private const int LengthMax = 512; // of a query: parsing takes time, too
    private const int KnownMax = 1024;

    private static readonly TimeSpan QuickMax = TimeSpan.FromMicroseconds(200);

    // What is older may lie in the object store alone, and waiting for it is not quick.
    private static readonly TimeSpan AgeMax = TimeSpan.FromHours(3);

    private readonly ConcurrentDictionary<string, bool> known = new(StringComparer.Ordinal);

    /// <summary>Whether a request asks what was quick the last time.</summary>
    public bool Has(HttpRequest request) =>
        !known.IsEmpty && HttpMethods.IsGet(request.Method) && request.Path.Value!.EndsWith(Path, StringComparison.Ordinal)
        && request.Query["query"] is [{ } text, ..] && known.ContainsKey(text) && IsRecent(request.Query["time"]);

    /// <summary>Notes how long an instant query took, without waiting and writing.</summary>
    public void Note(string text, TimeSpan took)
    {
        if (took > QuickMax || text.Length > LengthMax)
        {
            known.TryRemove(text, out _);
            return;
        }

        if (known.ContainsKey(text))
        {
            return;
        }

        if (known.Count >= KnownMax)
        {
            known.Clear(); // those that are asked often are back at once
        }

        known[text] = true;
    }

    private bool IsRecent(IList<string?> asked) =>
        asked.Count == 0
        || (double.TryParse(asked[0], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds * 1000 > UnixMillis.Now(time).Value - AgeMax.TotalMilliseconds);
}
