using System.Text;
using Lm.Platform.Files;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>One pass over server.toml and the files that it names: gathers faults, warnings and the files read.</summary>
internal sealed class SettingsReading
{
    private const int FileSizeMax = 4 << 20;

    private readonly string path;
    private readonly string folder;
    private readonly List<SettingsFault> faults = [];
    private readonly List<SettingsFaults> documents = [];
    private readonly List<string> warnings = [];
    private readonly List<string> files = [];

    /// <param name="path">server.toml.</param>
    /// <param name="time">The clock.</param>
    public SettingsReading(string path, TimeProvider time)
    {
        this.path = path;
        Time = time;
        folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
    }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>All faults so far: of each file in the order of reading, by their places.</summary>
    public IReadOnlyList<SettingsFault> Faults => [.. faults, .. documents.SelectMany(document => document.All)];

    /// <summary>Every file and folder that was read or could not be read, so far.</summary>
    public IReadOnlyList<string> Files => files;

    /// <summary>Reads everything.</summary>
    /// <returns>Null when server.toml cannot be read; of use only without faults.</returns>
    public ServerSettings? TryRead()
    {
        if (!TryReadFile(path, out var bytes, out var reason))
        {
            faults.Add(new SettingsFault(path, new TomlPosition(1, 1), reason));
            return null;
        }

        var root = Parse(bytes, path).Root;
        var objectStoreTable = root.ReadTable("object_store");
        var objectStore = ObjectStoreSettingsReader.Read(objectStoreTable, this);
        var storage = StorageSettingsReader.Read(root.ReadTable("storage"), objectStoreTable, objectStore, this);
        var ingest = IngestSettingsReader.Read(root.ReadTable("ingest"), storage, objectStore, this);
        var query = QuerySettingsReader.Read(root.ReadTable("query"), this);
        var dashboards = DashboardSettingsReader.Read(root.ReadTable("dashboards"), query.Semantics, this);
        CheckListeners(root, ingest, query);
        root.RefuseUnknownKeys();
        return new ServerSettings
        {
            Ingest = ingest,
            Query = query,
            Storage = storage,
            ObjectStore = objectStore,
            Dashboards = dashboards,
            Listing = [.. root.Settings().Select(setting => new ListedSetting(setting.Path, setting.Value, setting.Position, null))],
            Warnings = warnings,
            Files = files,
        };
    }

    /// <summary>Parses a file's bytes; its faults are gathered.</summary>
    public TomlDocument Parse(ReadOnlySpan<byte> bytes, string fileName)
    {
        var document = TomlDocument.Parse(bytes, fileName);
        documents.Add(document.Faults);
        return document;
    }

    /// <summary>Something an operator should know.</summary>
    public void Warn(string message) => warnings.Add(message);

    /// <summary>A path as it is opened: relative ones begin at server.toml's folder.</summary>
    public string Resolve(string name) => Path.GetFullPath(name, folder);

    /// <summary>Notes a file or folder that start-up reads.</summary>
    public void Watch(string file) => files.Add(file);

    /// <summary>Reads the text of the file that a key names; a fault at the key when it cannot be read or is a secret that others can read.</summary>
    /// <param name="table">The table.</param>
    /// <param name="key">The key.</param>
    /// <param name="missing">The file when the key is not there; null when it must be there.</param>
    /// <param name="isSecret">Whether the mode rule applies.</param>
    public SettingsFile? ReadFile(TomlTable table, string key, string? missing, bool isSecret)
    {
        var name = missing is null ? table.ReadRequiredString(key) : table.ReadString(key, missing);
        if (name.Length == 0)
        {
            if (table.Has(key))
            {
                table.Fault(key, $"{key} is empty; the name of a file is expected");
            }

            return null;
        }

        var file = Resolve(name);
        if (!TryReadFile(file, out var bytes, out var reason))
        {
            table.Fault(key, table.Has(key) ? $"{key}: {reason}" : $"{key} is not set, and of its default: {reason}");
            return null;
        }

        if (isSecret && SecretFile.FaultOf(file) is { } fault)
        {
            table.Fault(key, $"{key}: {fault}");
        }

        return new SettingsFile(file, bytes);
    }

    /// <summary>Reads a whole file, noting it for reload.</summary>
    public bool TryReadFile(string file, out byte[] bytes, out string reason)
    {
        bytes = [];
        reason = "";
        files.Add(Path.GetFullPath(file));
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length > FileSizeMax)
            {
                reason = $"{file} has {stream.Length} bytes; at most {FileSizeMax} are read";
                return false;
            }

            using var content = new MemoryStream();
            stream.CopyTo(content);
            bytes = content.ToArray();
            return true;
        }
        catch (FileNotFoundException)
        {
            reason = $"there is no file {file}";
        }
        catch (DirectoryNotFoundException)
        {
            reason = $"there is no file {file}: its folder is missing";
        }
        catch (UnauthorizedAccessException)
        {
            reason = Directory.Exists(file) ? $"{file} is a folder; a file is expected" : $"{file} may not be read by this user";
        }
        catch (IOException e)
        {
            reason = $"{file} cannot be read: {e.Message}";
        }

        return false;
    }

    private static void CheckListeners(TomlTable root, IngestSettings ingest, QuerySettings query)
    {
        if (ingest.Listen.Port == 0 || ingest.Listen.Port != query.Listen.Port)
        {
            return;
        }

        var (one, other) = (ingest.Listen.Address, query.Listen.Address);
        if (one.Equals(other) || IsAny(one) || IsAny(other))
        {
            root.ReadTable("query").Fault("listen", $"query.listen is {query.Listen}, the port that ingest.listen ({ingest.Listen}) takes; give the two listeners different ports");
        }
    }

    private static bool IsAny(System.Net.IPAddress address) =>
        address.Equals(System.Net.IPAddress.Any) || address.Equals(System.Net.IPAddress.IPv6Any);
}

/// <summary>A file that a setting names.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="Bytes">Its content.</param>
internal sealed record SettingsFile(string Path, byte[] Bytes)
{
    /// <summary>The content as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes);
}
