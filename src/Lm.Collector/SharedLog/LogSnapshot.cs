using System.Globalization;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>The fold of the shared log at one number, as an object. Format: docs/formats/commit.md.</summary>
/// <param name="Last">The number.</param>
/// <param name="At">When it was written, by its writer's clock.</param>
/// <param name="LastAt">The clock of the last commit's writer; null before the first.</param>
/// <param name="LastNonce">The nonce of the last commit; null before the first.</param>
/// <param name="Covered">See <see cref="LogFold.Covered"/>.</param>
/// <param name="OpenBytes">See <see cref="LogFold.OpenBytes"/>.</param>
/// <param name="Builder">See <see cref="LogFold.Builder"/>.</param>
/// <param name="Parts">See <see cref="LogFold.Parts"/>.</param>
/// <param name="Hidden">See <see cref="LogFold.Hidden"/>.</param>
/// <param name="Open">The nonces of the commits behind <paramref name="Covered"/>, in order.</param>
/// <param name="Filed">See <see cref="LogFold.Filed"/>.</param>
/// <param name="Published">See <see cref="LogFold.Published"/>.</param>
/// <param name="Pending">See <see cref="LogFold.Pending"/>.</param>
/// <param name="Ledger">The sequences: a ledger snapshot (docs/formats/ledger.md) of the incarnation 0.</param>
internal sealed record LogSnapshot(
    long Last, UnixMillis At, UnixMillis? LastAt, Guid? LastNonce, long Covered, long OpenBytes, string Builder,
    IReadOnlyList<LogPart> Parts, IReadOnlyList<(long Number, int Index)> Hidden, IReadOnlyList<Guid> Open,
    long Filed, long Published, PendingFiles? Pending, ReadOnlyMemory<byte> Ledger)
{
    /// <summary>A snapshot longer than this is not read: a thousand queues with full memories are 90 MB.</summary>
    public const int SizeMax = 512 << 20;

    private const int Version = 1;

    /// <summary>Its bytes.</summary>
    public static byte[] Write(LogSnapshot snapshot) => CheckedJson.Write(json =>
    {
        json.WriteNumber("version", Version);
        json.WriteNumber("last", snapshot.Last);
        json.WriteNumber("at_ms", snapshot.At.Value);
        if (snapshot.LastAt is { } lastAt)
        {
            json.WriteNumber("last_at_ms", lastAt.Value);
        }

        if (snapshot.LastNonce is { } nonce)
        {
            json.WriteString("last_nonce", nonce.ToString("N", CultureInfo.InvariantCulture));
        }

        json.WriteNumber("covered", snapshot.Covered);
        json.WriteNumber("open_bytes", snapshot.OpenBytes);
        json.WriteString("builder", snapshot.Builder);
        json.WriteStartArray("parts");
        foreach (var part in snapshot.Parts)
        {
            CommitCodec.WritePart(json, part);
        }

        json.WriteEndArray();
        json.WriteStartArray("hidden");
        foreach (var (number, index) in snapshot.Hidden)
        {
            json.WriteStartArray();
            json.WriteNumberValue(number);
            json.WriteNumberValue(index);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("open");
        foreach (var each in snapshot.Open)
        {
            json.WriteStringValue(each.ToString("N", CultureInfo.InvariantCulture));
        }

        json.WriteEndArray();
        json.WriteNumber("filed", snapshot.Filed);
        json.WriteNumber("published", snapshot.Published);
        if (snapshot.Pending is { } pending)
        {
            json.WriteStartObject("pending");
            CommitCodec.WritePending(json, pending);
            json.WriteEndObject();
        }

        json.WriteBase64String("ledger", snapshot.Ledger.Span);
    });

    /// <summary>Reads one.</summary>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryRead(ReadOnlyMemory<byte> bytes, out LogSnapshot? snapshot)
    {
        LogSnapshot? found = null;
        var fault = CheckedJson.TryRead(bytes, Version, root =>
        {
            found = new LogSnapshot(
                root.GetProperty("last").GetInt64(), new UnixMillis(root.GetProperty("at_ms").GetInt64()),
                root.TryGetProperty("last_at_ms", out var lastAt) ? new UnixMillis(lastAt.GetInt64()) : null,
                root.TryGetProperty("last_nonce", out var nonce) ? Guid.ParseExact(nonce.GetString() ?? "", "N") : null,
                root.GetProperty("covered").GetInt64(), root.GetProperty("open_bytes").GetInt64(), root.GetProperty("builder").GetString() ?? "",
                [.. root.GetProperty("parts").EnumerateArray().Select(CommitCodec.ReadPart)],
                [.. root.GetProperty("hidden").EnumerateArray().Select(static entry => (entry[0].GetInt64(), entry[1].GetInt32()))],
                [.. root.GetProperty("open").EnumerateArray().Select(static each => Guid.ParseExact(each.GetString() ?? "", "N"))],
                root.TryGetProperty("filed", out var filed) ? filed.GetInt64() : 0, root.TryGetProperty("published", out var published) ? published.GetInt64() : 0,
                root.TryGetProperty("pending", out var pending) ? CommitCodec.ReadPending(pending) : null,
                root.GetProperty("ledger").GetBytesFromBase64());
            return found.Covered >= 0 && found.Last - found.Covered == found.Open.Count ? null : $"it covers {found.Covered} of {found.Last} commits, and names {found.Open.Count} behind them";
        });
        snapshot = fault is null ? found : null;
        return fault;
    }
}
