using System.Text;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Agent.Tests.Queue;
using Lm.Protocol;
using Lm.Protocol.Framing;
using Lm.TestKit;

namespace Lm.Agent.Tests.LogTail;

/// <summary>Real log files in a folder of their own, a queue on a file system in memory, and what arrived in it.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class TailBench : IAsyncDisposable
{
    private readonly QueueBench queue;
    private LogTailer? tailer;
    private TimeSpan ahead;

    public TailBench(long queueBytesMax = 16 << 20, int seed = 1) =>
        queue = new QueueBench(seed, queueBytesMax) { Time = new ManualTime(TimeProvider.System.GetUtcNow()) };

    public string Folder { get; } = Directory.CreateTempSubdirectory("lm-tail-").FullName;

    public List<LogInput> Inputs { get; } = [];

    public Limits? Announced { get; set; }

    /// <summary>Makes what records come from beside files, at each start.</summary>
    public Func<TailBench, IRecordSource[]> NewSources { get; set; } = _ => [];

    public int LogsPerBatchMax { get; set; } = 1000;

    public int LogMessageBytesMax { get; set; } = 16_384;

    public QueueBench Queue => queue;

    public LogTailer Tailer => tailer!;

    public ManualTime Time => queue.Time;

    public MemoryFileSystem Files
    {
        get => queue.Files;
        set => queue.Files = value;
    }

    public string At(string name) => Path.Combine(Folder, name);

    public LogInput AddInput(string pattern, bool startAtEnd = false)
    {
        var input = new LogInput($"in{Inputs.Count}", At(pattern), startAtEnd);
        Inputs.Add(input);
        return input;
    }

    public void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public void Write(string name, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(At(name), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Write(bytes);
    }

    public void Append(string name, string text) => Append(name, Encoding.UTF8.GetBytes(text));

    public void Append(string name, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(At(name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.Write(bytes);
    }

    public void Truncate(string name)
    {
        using var file = new FileStream(At(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        file.SetLength(0);
    }

    public void Rename(string from, string to) => File.Move(At(from), At(to), overwrite: true);

    /// <summary>As <c>logrotate</c> does with <c>create</c>, but for making the new file.</summary>
    public void Rotate(string name = "a.log")
    {
        ShiftRotations(name);
        Rename(name, $"{name}.1");
        WaitForTheKernelsClock();
    }

    /// <summary>As <c>logrotate</c> does with <c>copytruncate</c>.</summary>
    public void CopyTruncate()
    {
        ShiftRotations("a.log");
        File.Copy(At("a.log"), At("a.log.1"));
        Truncate("a.log");
        WaitForTheKernelsClock();
    }

    /// <summary>Gives each rotation the next number.</summary>
    public void ShiftRotations(string name)
    {
        for (var i = 5; i >= 1; i--)
        {
            if (File.Exists(At($"{name}.{i}")))
            {
                Rename($"{name}.{i}", $"{name}.{i + 1}");
            }
        }
    }

    public async Task StartAsync()
    {
        await queue.OpenAsync();
        await queue.Queue.MigrateAsync(CancellationToken.None);
        tailer = new LogTailer(queue.Queue, Settings(), Time, queue.Logger, () => Announced, () => { }, NewSources(this));
    }

    public AgentSettings Settings() => new()
    {
        AgentId = "a1",
        IngestUrl = new Uri("https://localhost"),
        Token = new Secret("x"),
        Tls = new TlsMaterial { Roots = null, ClientCertificate = null, ClientChain = [] },
        QueueDirectory = QueueBench.Directory,
        QueueBytesMax = 16 << 20,
        Interval = TimeSpan.FromSeconds(15),
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        LogsPerBatchMax = LogsPerBatchMax,
        LogMessageBytesMax = LogMessageBytesMax,
        AlertsPerBatchMax = 1,
        Labels = [],
        LogInputs = [.. Inputs],
    };

    /// <summary>Looks for files, then makes rounds until there is nothing more.</summary>
    /// <param name="seconds">How much further the clock is ahead from now on of the real one, which files have their times from.</param>
    public async Task<RoundOutcome> ReadAsync(int seconds = 0)
    {
        ahead += TimeSpan.FromSeconds(seconds);
        Time.Advance(TimeProvider.System.GetUtcNow() + ahead - Time.GetUtcNow());
        tailer!.LookAgain();
        while (true)
        {
            var outcome = await tailer!.RoundAsync(CancellationToken.None);
            if (outcome != RoundOutcome.More)
            {
                return outcome;
            }
        }
    }

    public async Task StopAsync()
    {
        tailer?.Dispose();
        tailer = null;
        await queue.CloseAsync();
    }

    /// <summary>Which file is younger is told by their birth, which the kernel's coarse clock gives: rotations are further apart than one of its ticks.</summary>
    public void WaitForTheKernelsClock()
    {
        var first = BirthOfNewFile();
        for (var ticks = 0; ticks < 3; ticks++)
        {
            var next = first;
            while (next == first)
            {
                next = BirthOfNewFile();
            }

            first = next;
        }
    }

    /// <summary>A kill -9, after which the page cache stands; with a source of chance a power cut.</summary>
    public async Task CrashAsync(Random? powerCut)
    {
        var files = powerCut is null ? queue.Files.Kill() : queue.Files.PowerCut(powerCut);
        tailer?.Dispose();
        tailer = null;
        await queue.CloseAsync();
        queue.Files = files;
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>What waits in the queue, in its order.</summary>
    public List<ArrivedLine> Arrived()
    {
        var lines = new List<ArrivedLine>();
        foreach (var batch in queue.ReadAll())
        {
            lines.AddRange(LinesOf(batch));
        }

        return lines;
    }

    public List<string> Bodies() => Arrived().ConvertAll(line => line.Body);

    public List<ArrivedLine> Take()
    {
        var lines = new List<ArrivedLine>();
        foreach (var batch in queue.ReadAll())
        {
            lines.AddRange(LinesOf(batch));
            queue.Queue.Acknowledge(batch.Number);
        }

        return lines;
    }

    public static List<ArrivedLine> LinesOf(QueuedBatch batch)
    {
        Assert.Equal(FrameStatus.Ok, FrameReader.TryRead(batch.Frame.Span, 64 << 20, out var found));
        var payload = new byte[found.PayloadLength];
        Assert.Equal(FrameStatus.Ok, FrameReader.ReadPayload(batch.Frame.Span, found, payload));
        var decoded = new DecodedBatch();
        var limits = new Limits { LogsPerBatchMax = 1_000_000, LogMessageBytesMax = 64 << 20 };
        Assert.Equal(DecodeStatus.Ok, BatchDecoder.Decode(payload, limits, decoded, out var detail));
        _ = detail;
        var lines = new List<ArrivedLine>();
        foreach (ref readonly var log in decoded.Logs)
        {
            var attributes = new Dictionary<string, string>();
            var references = decoded.Attributes(log);
            for (var i = 0; i < references.Length; i += 2)
            {
                attributes.Add(Encoding.UTF8.GetString(decoded.Symbol(references[i])), Encoding.UTF8.GetString(decoded.Symbol(references[i + 1])));
            }

            lines.Add(new ArrivedLine(Encoding.UTF8.GetString(decoded.Body(log)), log.Time.Value, log.Severity, attributes));
        }

        return lines;
    }

    private long BirthOfNewFile()
    {
        Write("probe", "");
        Assert.True(Lm.Platform.Files.FollowedFile.TryLookAt(At("probe"), out var facts));
        File.Delete(At("probe"));
        return facts.BornAtNanoseconds;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>A record as it arrived.</summary>
internal sealed record ArrivedLine(string Body, long TimeMs, int Severity, Dictionary<string, string> Attributes)
{
    public string Marks => Attributes.GetValueOrDefault("marks", "");
}
