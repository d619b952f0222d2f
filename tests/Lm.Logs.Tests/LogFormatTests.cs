using System.Text;
using Lm.Logs.Files;
using Lm.Logs.Store;
using Lm.Platform;
using Lm.TestKit;

namespace Lm.Logs.Tests;

/// <summary>docs/formats/log.md, byte by byte. The golden files were made by an encoder that shares no code with ours, their frames by the program zstd.</summary>
public sealed class LogFormatTests
{
    private const long Hour = RandomLines.Start;
    private const string SealedFolder = "/logs/date=2026-01-02/hour=04";
    private const string SealedName = "01KDYAWM000000000000000007";

    private static readonly Guid Incarnation = new([.. Enumerable.Range(0, 16).Select(static value => (byte)value)], bigEndian: true);

    private static readonly Line[] Lines =
    [
        new(Hour, [new("instance", "web1"), new("input", "syslog"), new("severity", "info"), new("site", "lab")], new LogIdentity(7, 1, 0), "hello", []),
        new(Hour + 1500, [new("instance", "web1"), new("input", "syslog"), new("severity", "error"), new("site", "lab")], new LogIdentity(7, 1, 1),
            "a \"quoted\" \\ path\n\u0001\u001b[31m<b>é😀", [new("pid", "7"), new("unit", "ssh \"x\"")]),
        new(Hour + 3_599_999, [new("instance", "web2")], new LogIdentity(new UInt128(0x0123456789abcdef, 0xfedcba9876543210), ulong.MaxValue, 4095), "", []),
    ];

    private readonly MemoryFileSystem files = new();
    private readonly Dictionary<LogStream, StreamHead> heads = [];

    [Fact]
    public void Lines_are_written_as_the_format_page_has_them()
    {
        using var store = Open(out _);
        AddAll(store);
        store.Checkpoint(new CommitPosition(3, 4096));

        var frame = files.Peek("/logs/open/0000000001_date=2026-01-02_hour=04.ndjson.zst");
        var raw = new byte[4096];
        Assert.True(Zstd.TryMeasure(frame, out _, out var size, out _));
        Assert.True(Zstd.TryDecompress(frame, raw.AsSpan(0, (int)size)));
        Assert.Equal(Encoding.UTF8.GetString(Golden("lines.v1.ndjson")), Encoding.UTF8.GetString(raw, 0, (int)size));
    }

    [Fact]
    public void An_index_is_written_and_read_as_the_format_page_has_it()
    {
        var golden = Hex("sealed.idx");
        Assert.Null(IndexFormat.Read(golden, out var read, out var length));
        Assert.Equal(Hex("sealed.ndjson.zst").Length, length);

        var builder = new IndexBuilder();
        foreach (var line in Lines)
        {
            builder.NumberOf(line.Stream);
            builder.AddBody(Encoding.UTF8.GetBytes(line.Body));
        }

        builder.AddFrame(Assert.Single(read.Frames));
        builder.Complete(length);
        Assert.Equal(Convert.ToHexStringLower(golden), Convert.ToHexStringLower(builder.Bytes.Written));
        Assert.Equal((Lines.Length, Hour, Hour + 3_599_999), (read.Frames[0].Lines, read.Frames[0].MinTime, read.Frames[0].MaxTime));
    }

    [Fact]
    public void The_footer_of_a_sealed_file_is_written_and_read_as_the_format_page_has_it()
    {
        var golden = Hex("sealed.ndjson.zst")[^LogFooter.Size..];

        Assert.Null(LogFooter.Read(golden, out var footer));

        Assert.Equal(
            new LogFooter
            {
                Incarnation = Incarnation,
                Window = new LogWindow(Hour, false),
                Source = 5,
                Covered = new CommitPosition(3, 4096),
                Frames = 1,
                Lines = Lines.Length,
                RawBytes = Golden("lines.v1.ndjson").Length,
                BodyBytes = Lines.Sum(static line => (long)Encoding.UTF8.GetByteCount(line.Body)),
                MinTime = Hour,
                MaxTime = Hour + 3_599_999,
            },
            footer);
        Assert.Equal(Convert.ToHexStringLower(golden), Convert.ToHexStringLower(footer!.ToBytes()));
    }

    [Fact]
    public void A_manifest_is_written_and_read_as_the_format_page_has_it()
    {
        files.CreateDirectory("/logs");
        files.Put("/logs/manifest", Hex("manifest", version: 2));

        var read = LogManifest.Read(files, "/logs/manifest", out var damage);

        Assert.Null(damage);
        Assert.Equal((Incarnation, new CommitPosition(3, 4096), 6U), (read!.Incarnation, read.Covered, read.NextNumber));
        Assert.Equal((1U, new LogWindow(Hour, false), false, 3L), (read.Open[0].Number, read.Open[0].Window, read.Open[0].IsFrozen, read.Open[0].Lines));
        Assert.Equal(Hour + 86_400_000, read.DoubtedUntil);
        Assert.Equal(Hex("manifest", version: 2), read.ToBytes());
    }

    [Fact]
    public void A_manifest_of_version_1_is_read()
    {
        files.CreateDirectory("/logs");
        files.Put("/logs/manifest", Hex("manifest"));

        var read = LogManifest.Read(files, "/logs/manifest", out var damage);

        Assert.Null(damage);
        Assert.Equal((6U, 0L, 1U), (read!.NextNumber, read.DoubtedUntil, Assert.Single(read.Open).Number));
    }

    [Fact]
    public void An_open_file_made_elsewhere_is_gone_on_with()
    {
        files.CreateDirectory("/logs/open");
        files.Put("/logs/manifest", Hex("manifest"));
        files.Put("/logs/open/0000000001_date=2026-01-02_hour=04.ndjson.zst", Hex("open.ndjson.zst"));
        files.Put("/logs/open/0000000001_date=2026-01-02_hour=04.idx", Hex("open.idx"));

        using var store = Open(out var opening);

        Assert.Equal((new CommitPosition(3, 4096), 1, 0), (opening.ReplayFrom, opening.OpenFiles, opening.Damage.Count));
        Assert.Equal(Lines.Select(static line => line.ToString()), store.All());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_sealed_file_made_elsewhere_is_searched_with_its_index_or_without(bool hasIndex)
    {
        PutSealed(hasIndex);

        using var store = Open(out var opening);

        Assert.Equal((1, 0), (opening.SealedFiles, opening.Damage.Count));
        Assert.Equal(Lines.Select(static line => line.ToString()), store.All());
        Assert.Equal([Lines[0].ToString()], store.All(Reading.Everything with { Required = ["ello"u8.ToArray()] }));
        var statistics = new LogScanStatistics();
        Assert.Empty(store.All(Reading.Everything with { Required = ["timeout"u8.ToArray()] }, statistics));
        Assert.Equal((0, 1), (statistics.FramesRead, statistics.FramesSkipped));
        Assert.Equal(hasIndex ? 0 : 1, store.Statistics().IndexesRebuilt);
        Assert.Equal(Hex("sealed.idx"), files.Peek($"{SealedFolder}/{SealedName}.idx"));
    }

    [Fact]
    public void No_damaged_byte_of_any_file_makes_the_store_fail_or_invent_a_line()
    {
        string[] paths = [$"{SealedFolder}/{SealedName}.ndjson.zst", $"{SealedFolder}/{SealedName}.idx"];
        foreach (var path in paths)
        {
            var length = Hex(path.EndsWith(".idx", StringComparison.Ordinal) ? "sealed.idx" : "sealed.ndjson.zst").Length;
            for (var at = 0; at < length; at++)
            {
                PutSealed(hasIndex: true);
                files.Corrupt(path, at, (byte)(files.Peek(path)[at] ^ 0x55));

                using var store = LogStore.Open(files, Options, out _);

                Assert.Subset(Lines.Select(static line => line.ToString()).ToHashSet(), store.All().ToHashSet());
            }
        }
    }

    private void PutSealed(bool hasIndex)
    {
        files.CreateDirectory("/logs/date=2026-01-02");
        files.CreateDirectory(SealedFolder);
        files.Put($"{SealedFolder}/{SealedName}.ndjson.zst", Hex("sealed.ndjson.zst"));
        if (hasIndex)
        {
            files.Put($"{SealedFolder}/{SealedName}.idx", Hex("sealed.idx"));
        }
    }

    private void AddAll(LogStore store)
    {
        foreach (var line in Lines)
        {
            line.AddTo(store, heads, line.Time);
        }
    }

    private LogStore Open(out LogStoreOpening opening) => LogStore.Open(files, Options, out opening);

    private static LogStoreOptions Options => new() { Directory = "/logs", Incarnation = Incarnation, Time = new ManualTime() };

    private static byte[] Hex(string name, int version = 1) => Convert.FromHexString(GoldenFile.ReadHex($"log/{name}.v{version}.hex"));

    private static byte[] Golden(string name) => GoldenFile.Read("log/" + name);
}
