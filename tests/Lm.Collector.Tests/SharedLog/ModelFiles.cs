using System.Text;
using Lm.Collector.Landing;
using Lm.Collector.Recovery;
using Lm.Collector.SharedLog;
using Lm.ObjectStore;
using Lm.Platform;

namespace Lm.Collector.Tests.SharedLog;

/// <summary>Blocks and log files of the model: texts of names. Each record is in one of a block and a log file.</summary>
internal sealed class ModelFiles(IObjectStore store, string collector) : IFileMaker
{
    /// <summary>What stands behind each name.</summary>
    public const char End = ';';

    private readonly UlidSource ids = new(TimeProvider.System);

    public async Task<MadeFiles> MakeAsync(FilesPlan plan, CancellationToken cancellationToken)
    {
        var (block, log) = (new StringBuilder(), new StringBuilder());
        foreach (var part in plan.Parts)
        {
            if (await RawObjectReader.ReadAsync(store, part.Object.Key, cancellationToken) is not { Manifest: { } manifest })
            {
                throw new LogObjectMissingException(part.Object.Key);
            }

            await foreach (var record in new RawArchive(store, ModelFleet.Keys, collector).ReadRecordsAsync(part.Object.Key, manifest, cancellationToken))
            {
                Assert.True(record.IsWhole);
                Assert.InRange(RawBundle.CommitOf(record.Entry.Position), plan.From, plan.Covers);
                (record.Bytes.Length % 2 == 0 ? block : log).Append(Encoding.UTF8.GetString(record.Bytes.Span));
            }
        }

        var (blockId, logId) = (ids.Next(), ids.Next());
        return new MadeFiles(
            [($"blocks/{blockId}/chunks", Text(block.ToString())), ($"blocks/{blockId}/meta.json", Text("")), ($"logs/{logId}.ndjson.zst", Text(log.ToString())), ($"logs/{logId}.idx", Text(""))],
            plan.Parts[^1].Newest, static () => { });
    }

    public async Task<HeldContent> HoldAsync(long size, Func<Action<ReadOnlySpan<byte>>, CancellationToken, Task> fetch, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        await fetch(piece => bytes.Write(piece), cancellationToken);
        Assert.Equal(size, bytes.Length);
        return new HeldContent(ObjectContent.Of(bytes.ToArray()), static () => { });
    }

    /// <summary>The names in blocks and log files that are where readers find them.</summary>
    public static IReadOnlyList<string> NamesIn(IEnumerable<KeyValuePair<string, byte[]>> objects) =>
    [
        .. objects.Where(static each => each.Key.EndsWith("/chunks", StringComparison.Ordinal) || each.Key.EndsWith(".ndjson.zst", StringComparison.Ordinal))
            .Where(static each => !each.Key.StartsWith(ModelFleet.Keys.SharedStagedFolder, StringComparison.Ordinal))
            .SelectMany(static each => Encoding.UTF8.GetString(each.Value).Split(End, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
    ];

    private static ObjectContent Text(string text) => ObjectContent.Of(Encoding.UTF8.GetBytes(text.Length == 0 ? "\n" : text));
}
