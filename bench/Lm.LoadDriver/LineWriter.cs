using System.Globalization;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>Writes numbered lines into log files and rotates them in every way that is in use, until it is told to stop.</summary>
/// <remarks>
/// A line is <c>STREAM NUMBER PADDING</c>; each file's numbers begin with 1 and are written in order. Where a way of rotating destroys what nobody read
/// (truncate, delete), the writer waits until all of it arrived, as a program that cares would have to; with copytruncate it makes
/// the copy itself, so that nothing is written between copy and truncation, which is what copytruncate itself can lose.
/// </remarks>
internal sealed class LineWriter(string folder, int linesPerSecond, string arrivedFile, TimeProvider time)
{
    private const int KeptRotations = 6;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private static readonly string[] Schemes = ["rename", "copytruncate", "truncate", "recreate", "glob"];

    private readonly Random random = new();
    private readonly Dictionary<string, long> written = [];
    private readonly Dictionary<string, long> arrived = [];
    private readonly List<Stream> streams = [];
    private long arrivedOffset;
    private int globs;

    /// <summary>Writes until <paramref name="stopping"/>, then says in <c>written</c> in the folder how many lines each stream has.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        Directory.CreateDirectory(Path.Combine(folder, "glob"));
        foreach (var scheme in Schemes)
        {
            streams.Add(Open(scheme));
        }

        var began = time.GetTimestamp();
        var total = 0L;
        try
        {
            while (true)
            {
                await Task.Delay(Step, time, stopping);
                ReadArrived();
                var due = (long)(time.GetElapsedTime(began).TotalSeconds * linesPerSecond) - total;
                var open = streams.Where(stream => !stream.IsWaiting).ToList();
                foreach (var stream in open)
                {
                    total += WriteSome(stream, (int)Math.Min(due / open.Count, 20_000));
                }

                for (var i = 0; i < streams.Count; i++)
                {
                    streams[i] = Rotate(streams[i]);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The signal to stop.
        }

        streams.ForEach(stream => stream.File.Dispose());
        using var summary = new AppendOnlyFile(Path.Combine(folder, "written"));
        foreach (var (stream, count) in written)
        {
            summary.WriteLine($"{stream} {count}");
        }
    }

    private Stream Open(string scheme)
    {
        var name = scheme == "glob" ? $"glob-{++globs}" : scheme;
        var path = scheme == "glob" ? Path.Combine(folder, "glob", $"{globs}.log") : Path.Combine(folder, $"{scheme}.log");
        written.TryAdd(name, 0);
        // Between half a second and two seconds from now.
        return new Stream(scheme, name, path, new AppendOnlyFile(path), time.GetTimestamp() + (long)((0.5 + (1.5 * random.NextDouble())) * time.TimestampFrequency));
    }

    private int WriteSome(Stream stream, int count)
    {
        if (count <= 0)
        {
            return 0;
        }

        var text = new StringBuilder();
        var number = written[stream.Name];
        for (var i = 0; i < count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{stream.Name} {++number} ").Append('x', (int)(number % 60));
            if (i < count - 1)
            {
                text.Append('\n');
            }
        }

        stream.File.WriteLine(text.ToString());
        written[stream.Name] = number;
        return count;
    }

    private Stream Rotate(Stream stream)
    {
        if (time.GetTimestamp() < stream.DueAt)
        {
            return stream;
        }

        switch (stream.Scheme)
        {
            case "rename":
                ShiftRotations(stream.Path);
                File.Move(stream.Path, stream.Path + ".1");
                break;
            case "copytruncate":
                ShiftRotations(stream.Path);
                File.Copy(stream.Path, stream.Path + ".1");
                Truncate(stream.Path);
                break;
            case var _ when arrived.GetValueOrDefault(stream.Name) < written[stream.Name]:
                return stream with { IsWaiting = true };
            case "truncate":
                Truncate(stream.Path);
                break;
            default:
                File.Delete(stream.Path);
                break;
        }

        stream.File.Dispose();
        return Open(stream.Scheme);
    }

    private static void ShiftRotations(string path)
    {
        File.Delete($"{path}.{KeptRotations}");
        for (var i = KeptRotations - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}");
            }
        }
    }

    private static void Truncate(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(0);
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

    private sealed record Stream(string Scheme, string Name, string Path, AppendOnlyFile File, long DueAt)
    {
        public bool IsWaiting { get; init; }
    }
}
