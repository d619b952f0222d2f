using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lm.Journal;
using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Collector.Recovery;

/// <summary>The file <c>recovery.json</c>: how far what earlier lives of the spool landed was taken over. Format: docs/formats/recovery.md.</summary>
/// <remarks>
/// Invariants:
/// it says <see cref="Waiting"/> before a spool without a record takes its first one, so that no crash makes that spool pass for one that knew its earlier lives;
/// it says <see cref="Restored"/> only after the ledger's snapshot, with all that was restored, is durable;
/// a life's place moves only after what stood before it is durable elsewhere.
/// What it says of another store counts for nothing.
/// </remarks>
internal sealed class RecoveryMark
{
    /// <summary>The name of the file, in the spool's folder.</summary>
    public const string FileName = "recovery.json";

    /// <summary>The store has not been asked yet which sequences are in it.</summary>
    public const string Waiting = "waiting";

    /// <summary>The ledger has them.</summary>
    public const string Restored = "restored";

    private const int SizeMax = 16 << 20;
    private const int Version = 1;
    private const int ChecksumSize = 10; // hexadecimal digits and a newline, before and behind

    private readonly IFileSystem files;
    private readonly string path;
    private readonly string store;
    private readonly SortedDictionary<string, JournalPosition> lives = new(StringComparer.Ordinal);

    private RecoveryMark(IFileSystem files, string path, string store) => (this.files, this.path, this.store) = (files, path, store);

    /// <summary>What is known of sequences: <see cref="Waiting"/>, <see cref="Restored"/>, or empty where nothing was ever noted.</summary>
    public string Sequences { get; set; } = "";

    /// <summary>Reads the file. One that is missing, damaged or of another store says nothing.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="store">Names the store, and the place in it.</param>
    /// <param name="fault">What is wrong with it; null when nothing.</param>
    public static RecoveryMark Read(IFileSystem files, string path, string store, out string? fault)
    {
        var mark = new RecoveryMark(files, path, store);
        fault = null;
        try
        {
            if (AtomicFile.Read(files, path, SizeMax) is { } bytes)
            {
                fault = mark.Take(bytes);
            }
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            fault = e.Message;
        }

        return fault is null ? mark : new RecoveryMark(files, path, store);
    }

    /// <summary>Everything of a life before this place was taken over.</summary>
    public JournalPosition DoneUpTo(RawLife life) => lives.GetValueOrDefault(life.Name);

    /// <summary>Everything of a life before this place is durable here; <see cref="Write"/> says so.</summary>
    public void Advance(RawLife life, JournalPosition to) => lives[life.Name] = to > DoneUpTo(life) ? to : DoneUpTo(life);

    /// <summary>Forgets everything: the spool has no record, and knows of none.</summary>
    public void Forget()
    {
        lives.Clear();
        Sequences = Waiting;
    }

    /// <summary>Forgets lives that have no objects any more.</summary>
    public void Keep(IEnumerable<RawLife> known)
    {
        var names = known.Select(static life => life.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in lives.Keys.Where(name => !names.Contains(name)).ToArray())
        {
            lives.Remove(gone);
        }
    }

    /// <summary>Makes it durable.</summary>
    /// <exception cref="FileSystemException">It could not be.</exception>
    public void Write()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("store", store);
            json.WriteString("sequences", Sequences);
            json.WriteStartArray("lives");
            foreach (var (name, done) in lives)
            {
                json.WriteStartObject();
                json.WriteString("incarnation", name);
                json.WriteNumber("segment", done.Segment);
                json.WriteNumber("offset", done.Offset);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        var checksum = Crc32C.Compute(buffer.WrittenSpan);
        buffer.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n{checksum:x8}\n")));
        AtomicFile.Write(files, path, buffer.WrittenSpan);
    }

    private string? Take(byte[] bytes)
    {
        var content = bytes.AsMemory(0, Math.Max(0, bytes.Length - ChecksumSize));
        var checksum = Encoding.ASCII.GetString(bytes.AsSpan(content.Length)).Trim('\n');
        if (!uint.TryParse(checksum, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var expected) || expected != Crc32C.Compute(content.Span))
        {
            return $"the checksum behind its {bytes.Length} bytes is wrong or missing";
        }

        using var document = JsonDocument.Parse(content);
        var root = document.RootElement;
        if (root.GetProperty("version").GetInt32() is var version && version != Version)
        {
            return $"its version is {version}; this program reads {Version}";
        }

        if (root.GetProperty("store").GetString() != store)
        {
            return null;
        }

        Sequences = root.GetProperty("sequences").GetString() ?? "";
        foreach (var life in root.GetProperty("lives").EnumerateArray())
        {
            lives[life.GetProperty("incarnation").GetString() ?? ""] = new JournalPosition(life.GetProperty("segment").GetUInt32(), life.GetProperty("offset").GetInt64());
        }

        return null;
    }
}
