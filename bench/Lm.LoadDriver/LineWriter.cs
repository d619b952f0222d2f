using System.Globalization;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>Writes numbered lines into log files and rotates them in every way that is in use, until it is told to stop.</summary>
/// <param name="folder">Where the files are; it says in its file <c>written</c> in the end how many lines each has. While a file <c>down</c> is there the
/// agent does not run.</param>
/// <param name="linesPerSecond">How many lines, of all files together.</param>
/// <param name="arrivedFile">What <see cref="ArrivedLines"/> notes.</param>
/// <param name="time">The clock.</param>
internal sealed class LineWriter(string folder, int linesPerSecond, string arrivedFile, TimeProvider time)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private readonly Random random = new();
    private readonly Dictionary<string, long> arrived = [];
    private readonly List<RotatingLog> logs = [];
    private long arrivedOffset;

    /// <summary>Writes until <paramref name="stopping"/>.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        Directory.CreateDirectory(Path.Combine(folder, "glob"));
        foreach (var scheme in Enum.GetValues<RotationScheme>())
        {
            Begin(scheme, scheme == RotationScheme.Glob ? "glob-0" : scheme.ToString().ToLowerInvariant());
        }

        Begin(RotationScheme.Glob, "glob-1");
        var began = time.GetTimestamp();
        var total = 0L;
        try
        {
            while (true)
            {
                await Task.Delay(Step, time, stopping);
                ReadArrived();
                var open = logs.Where(log => !log.IsWaiting && !log.IsOver).ToList();
                var due = (long)(time.GetElapsedTime(began).TotalSeconds * linesPerSecond) - total;
                foreach (var log in open)
                {
                    var before = log.Written;
                    log.Write((int)Math.Min((due + open.Count - 1) / open.Count, 20_000), random);
                    total += log.Written - before;
                }

                RotateDue();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The signal to stop.
        }

        Summarise();
    }

    private void Begin(RotationScheme scheme, string name) => logs.Add(new RotatingLog(folder, scheme, name) { DueAt = NextRotation() });

    // Between a third of a second and two seconds from now.
    private long NextRotation() => time.GetTimestamp() + (long)((0.3 + (1.7 * random.NextDouble())) * time.TimestampFrequency);

    private void RotateDue()
    {
        var isReaderDown = File.Exists(Path.Combine(folder, "down"));
        foreach (var log in logs.Where(log => !log.IsOver && time.GetTimestamp() >= log.DueAt && log.Written > 0).ToArray())
        {
            log.Rotate(arrived.GetValueOrDefault(log.Name), isReaderDown, random);
            if (!log.IsWaiting)
            {
                log.DueAt = NextRotation();
            }

            if (log.IsOver)
            {
                Begin(RotationScheme.Glob, string.Create(CultureInfo.InvariantCulture, $"glob-{logs.Count}"));
            }
        }
    }

    private void Summarise()
    {
        foreach (var log in logs)
        {
            log.Finish();
            log.Dispose();
        }

        using (var summary = new AppendOnlyFile(Path.Combine(folder, "written")))
        {
            logs.ForEach(log => summary.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{log.Name} {log.Written}")));
        }

        var rotations = logs.GroupBy(log => log.Scheme).Select(group => string.Create(CultureInfo.InvariantCulture,
            $"{group.Key.ToString().ToLowerInvariant()} {group.Sum(log => log.Rotations)}"));
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{logs.Sum(log => log.Written)} lines written; rotations: {string.Join(", ", rotations)}; {logs.Sum(log => log.SameInodes)} times on the same inode"));
    }

    private void ReadArrived()
    {
        using var file = new FileStream(arrivedFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = arrivedOffset;
        var bytes = new byte[(int)Math.Min(file.Length - arrivedOffset, 64 << 20)];
        var rest = bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        for (var end = rest.IndexOf((byte)'\n'); end >= 0; end = rest.IndexOf((byte)'\n'))
        {
            var body = rest[..end][(rest[..end].LastIndexOf((byte)'\t') + 1)..];
            var fields = Encoding.UTF8.GetString(body).Split(' ');
            arrived[fields[0]] = Math.Max(arrived.GetValueOrDefault(fields[0]), long.Parse(fields[1], CultureInfo.InvariantCulture));
            arrivedOffset += end + 1;
            rest = rest[(end + 1)..];
        }
    }
}
