using System.Globalization;
using System.Text.Json;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Tests;

/// <summary>Sealed files are read whole by programs that know nothing of Lightmetrics.</summary>
public sealed class ForeignReaderTests : IDisposable
{
    private const string DuckDb = "@duckdb/node-api@1.5.6-r.1";
    private const string ClickHouse = "chdb@3.4.0";
    private const int BatchCount = 8;

    private readonly string folder = Directory.CreateTempSubdirectory("lm-logs-").FullName;
    private readonly List<Line> lines = [];

    public ForeignReaderTests()
    {
        var random = new RandomLines(5);
        var heads = new Dictionary<LogStream, StreamHead>();
        using var store = LogStore.Open(new PhysicalFileSystem(), new LogStoreOptions { Directory = folder, Incarnation = Guid.Empty, OpenBytesMax = 20_000 }, out _);
        for (var i = 0; i < BatchCount; i++)
        {
            var receivedAt = RandomLines.Start + (i * 1_800_000L);
            var batch = random.Batch(receivedAt, 3_000_000, 500); // some of them late
            batch.ForEach(line => line.AddTo(store, heads, receivedAt));
            lines.AddRange(batch);
        }

        store.Maintain(new UnixMillis(RandomLines.Start + (2 * 86_400_000L)));
        store.Checkpoint(new CommitPosition(0, 1));
        while (store.SealNext(new HashSet<uint>(), TestContext.Current.CancellationToken, out _))
        {
        }

        Assert.True(store.Files.Count > 3, "several hours and a late file are expected");
    }

    private string Expected => Rows(lines.Select(static line => Row(line.Stream.Instance, line.Identity.Sequence, line.Identity.Index, line.Body, line.Stream["severity"])));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Zstdcat_and_jq_read_every_line_as_it_came()
    {
        ForeignPrograms.Need("zstdcat", "jq");

        var printed = await ForeignPrograms.ShellAsync("zstdcat date=*/hour=*/*.ndjson.zst | jq -c '[.instance, .seq, .index, .body, .severity // \"\", .attrs]'", folder);

        var rows = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static row => JsonElement.Parse(row)).ToArray();
        Assert.Equal(Expected, Rows(rows.Select(RowOf)));
        Assert.Equal(
            lines.Sum(static line => line.Attributes.Length), rows.Sum(static row => row[5].ValueKind == JsonValueKind.Null ? 0 : row[5].EnumerateObject().Count()));
    }

    [Fact]
    public async Task One_zstd_stream_of_all_files_decompresses_and_is_sorted_within_each()
    {
        ForeignPrograms.Need("zstdcat", "jq");

        var unsorted = await ForeignPrograms.ShellAsync(
            "for f in date=*/hour=*/*.ndjson.zst; do zstdcat \"$f\" | jq -r .ts | LC_ALL=C sort -c && zstd -qt \"$f\" || echo \"$f\"; done", folder);

        Assert.Equal("", unsorted);
    }

    [Fact]
    public async Task DuckDB_reads_every_line_and_prunes_by_date_and_hour()
    {
        var printed = await ForeignPrograms.NodeAsync(DuckDb, $$"""
            (async () => {
              const { DuckDBInstance } = require('@duckdb/node-api');
              const db = await (await DuckDBInstance.create(':memory:')).connect();
              const source = `read_json('{{folder}}/date=*/hour=*/*.ndjson.zst', format='newline_delimited', hive_partitioning=true, union_by_name=true,
                columns={ts: 'TIMESTAMP', instance: 'VARCHAR', seq: 'UBIGINT', "index": 'INTEGER', body: 'VARCHAR', severity: 'VARCHAR', attrs: 'JSON'})`;
              for (const row of (await db.runAndReadAll(`SELECT instance, seq, "index", body, coalesce(severity, '') FROM ${source}`)).getRows())
                console.log(JSON.stringify([row[0], Number(row[1]), row[2], row[3], row[4]]));
              const late = await db.runAndReadAll(`SELECT count(*) FROM ${source} WHERE hour = 'late' AND ts < TIMESTAMP '2026-01-03'`);
              console.log(JSON.stringify(Number(late.getRows()[0][0])));
            })();
            """);

        var rows = printed.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Expected, Rows(rows.SkipLast(1).Select(static row => RowOf(JsonElement.Parse(row)))));
        Assert.True(int.Parse(rows[^1], CultureInfo.InvariantCulture) > 0);
    }

    [Fact]
    public async Task ClickHouse_reads_every_line()
    {
        var printed = await ForeignPrograms.NodeAsync(ClickHouse, $$"""
            const { query } = require('chdb');
            console.log(query(`SELECT instance, seq, index, body, severity FROM file('{{folder}}/date=*/hour=*/*.ndjson.zst', 'JSONEachRow',
              'ts String, instance String, input String, severity String, queue_id String, seq UInt64, index UInt32, body String, attrs Map(String, String)')
              SETTINGS output_format_json_quote_64bit_integers = 0`, 'JSONCompactEachRow'));
            """);

        Assert.Equal(Expected, Rows(printed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static row => RowOf(JsonElement.Parse(row)))));
    }

    private static string RowOf(JsonElement row) =>
        Row(row[0].GetString()!, row[1].GetUInt64(), row[2].GetInt32(), row[3].GetString()!, row[4].GetString()!);

    private static string Row(string instance, ulong sequence, int index, string body, string severity) => $"{instance} {sequence} {index} {severity} {body.Length}:{body}";

    private static string Rows(IEnumerable<string> rows) => string.Join('\n', rows.Order(StringComparer.Ordinal));
}
