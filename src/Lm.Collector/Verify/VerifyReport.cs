using System.Globalization;

namespace Lm.Collector.Verify;

/// <summary>What <c>--verify</c> found: faults, notes and counts, written as they come.</summary>
/// <param name="output">Where they go.</param>
/// <param name="time">The clock, for progress.</param>
internal sealed class VerifyReport(TextWriter output, TimeProvider time)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    private readonly long began = time.GetTimestamp();
    private long told = time.GetTimestamp();
    private long objects;
    private long objectBytes;

    /// <summary>How much is wrong.</summary>
    public int Faults { get; private set; }

    /// <summary>How many objects there are, once that is known.</summary>
    public long ObjectsExpected { get; set; }

    /// <summary>Something is wrong.</summary>
    public void Fault(string what, string reason)
    {
        Faults++;
        output.WriteLine($"fault: {what}: {reason}");
    }

    /// <summary>Something is worth knowing, and no fault.</summary>
    public void Note(string what) => output.WriteLine($"note: {what}");

    /// <summary>One kind of object was read through.</summary>
    public void Tell(string what) => output.WriteLine(what);

    /// <summary>An object was read.</summary>
    public void Read(long bytes, int count = 1)
    {
        objects += count;
        objectBytes += bytes;
        if (time.GetElapsedTime(told) < ProgressInterval)
        {
            return;
        }

        told = time.GetTimestamp();
        var seconds = Math.Max(time.GetElapsedTime(began).TotalSeconds, 0.001);
        var left = objects == 0 ? 0 : seconds / objects * Math.Max(0, ObjectsExpected - objects);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"progress: {objects} of {ObjectsExpected} objects, {objectBytes} bytes, {objectBytes / seconds / 1e6:F1} MB/s, about {left:F0} s left"));
    }

    /// <summary>The last line.</summary>
    public void End()
    {
        var seconds = time.GetElapsedTime(began).TotalSeconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{objects} objects, {objectBytes} bytes read in {seconds:F1} s: {(Faults == 0 ? "no faults" : Faults + (Faults == 1 ? " fault" : " faults"))}"));
    }
}
