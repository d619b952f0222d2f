using Lm.ObjectStore;
using Lm.ObjectStore.S3;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[object_store]</c>.</summary>
internal static class ObjectStoreSettingsReader
{
    private const int PrefixLengthMax = 200;
    private const int BucketLengthMax = 255;

    /// <summary>Reads the table and the files that it names.</summary>
    /// <returns>Null without the table.</returns>
    public static ObjectStoreSettings? Read(TomlTable table, SettingsReading reading)
    {
        if (!table.IsPresent)
        {
            return null;
        }

        var isDirectory = table.ReadChoice("kind", "s3", "s3", "directory") == "directory";
        var usesChain = table.ReadChoice("credentials", "files", "files", "aws") == "aws";
        var target = ReadTarget(table, isDirectory, usesChain, reading);
        return new ObjectStoreSettings
        {
            Target = target,
            Keys = ReadKeys(table, isNeeded: !isDirectory && !usesChain, reading),
            ManifestLinger = TimeSpan.FromMilliseconds(table.ReadInteger("manifest_linger_ms", 500, 0, 60_000)),
            Retention = TimeSpan.FromDays(table.ReadInteger("retention_days", 400, 1, StorageSettingsReader.DaysMax)),
        };
    }

    // Every key is read whatever the kind, so that its type is checked and a file may keep both kinds' keys.
    private static ObjectStoreTarget ReadTarget(TomlTable table, bool isDirectory, bool usesChain, SettingsReading reading)
    {
        var directory = ReadDirectory(table, isDirectory, reading);
        var target = new ObjectStoreTarget
        {
            Directory = directory,
            Prefix = ReadPrefix(table),
            CompactsElsewhere = table.ReadChoice("compaction", "self", "self", "external") == "external",
            BlocksEvery = TimeSpan.FromSeconds(table.ReadInteger("blocks_every_seconds", 7200, 1, 86_400)),
            Bucket = ReadBucket(table, !isDirectory),
            Endpoint = ReadEndpoint(table, reading),
            Region = ReadRegion(table),
            ForcePathStyle = table.ReadBoolean("force_path_style", true),
            UsesAwsChain = usesChain,
            TrustedRoots = ReadRoots(table, reading),
            SendsChecksums = table.ReadChoice("checksums", "when_required", "when_required", "when_supported") == "when_supported",
            UsesChunkEncoding = table.ReadBoolean("chunk_encoding", false),
            PartSize = table.ReadInteger("multipart_bytes", 64 << 20, 5 << 20, 1 << 30),
            RequestTimeout = TimeSpan.FromMilliseconds(table.ReadInteger("request_timeout_ms", 30_000, 1000, 600_000)),
            TriesMax = (int)table.ReadInteger("max_tries", 4, 1, 10),
        };
        return isDirectory ? new ObjectStoreTarget { Directory = directory, Prefix = target.Prefix, CompactsElsewhere = target.CompactsElsewhere, BlocksEvery = target.BlocksEvery } : target;
    }

    private static string? ReadDirectory(TomlTable table, bool isNeeded, SettingsReading reading)
    {
        if (!isNeeded)
        {
            _ = table.ReadString("directory", "");
            return null;
        }

        var name = table.ReadRequiredString("directory");
        var path = name.Length == 0 ? "" : reading.Resolve(name);
        if (File.Exists(path))
        {
            table.Fault("directory", $"directory: {path} is a file; a folder is expected");
        }

        return path;
    }

    private static string ReadPrefix(TomlTable table)
    {
        var prefix = table.ReadString("prefix", "");
        if (prefix.Length > PrefixLengthMax || (prefix.Length > 0 && ObjectKey.Fault(prefix) is not null))
        {
            table.Fault("prefix", $"prefix is \"{prefix}\"; at most {PrefixLengthMax} characters are allowed: names of ASCII letters, digits and - _ . = + @ :, no '.' first, "
                + "with slashes between them and none at the ends");
        }

        return prefix;
    }

    private static string ReadBucket(TomlTable table, bool isNeeded)
    {
        var bucket = isNeeded ? table.ReadRequiredString("bucket") : table.ReadString("bucket", "");
        if (isNeeded
            && (bucket.Length > BucketLengthMax || !bucket.All(static character => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-')))
        {
            table.Fault("bucket", $"bucket is \"{bucket}\"; 1 to {BucketLengthMax} letters, digits, '.', '_' and '-' are allowed");
        }

        return bucket;
    }

    private static Uri? ReadEndpoint(TomlTable table, SettingsReading reading)
    {
        var text = table.ReadString("endpoint", "");
        if (text.Length == 0)
        {
            return null;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https") || endpoint.PathAndQuery != "/" || endpoint.UserInfo.Length > 0)
        {
            table.Fault("endpoint", $"endpoint is \"{text}\"; a URL of a scheme, a host and perhaps a port is expected, as in \"https://s3.example.internal:9000\"; the bucket has a key of its own");
            return null;
        }

        if (endpoint.Scheme == "http" && !endpoint.IsLoopback)
        {
            reading.Warn($"object_store.endpoint is {text}: what lands there crosses the network in the clear");
        }

        return endpoint;
    }

    private static string ReadRegion(TomlTable table)
    {
        var region = table.ReadString("region", "us-east-1");
        if (region.Length is 0 or > 64 || !region.All(static character => char.IsAsciiLetterOrDigit(character) || character == '-'))
        {
            table.Fault("region", $"region is \"{region}\"; 1 to 64 letters, digits and '-' are allowed, as in \"us-east-1\"");
        }

        return region;
    }

    private static string? ReadRoots(TomlTable table, SettingsReading reading)
    {
        if (!table.Has("tls_ca_cert_file") || reading.ReadFile(table, "tls_ca_cert_file", missing: null, isSecret: false) is not { } file)
        {
            return null;
        }

        _ = ServerCertificate.TryReadAll(file.Text, out var fault);
        if (fault is not null)
        {
            table.Fault("tls_ca_cert_file", $"tls_ca_cert_file: {file.Path} {fault}");
        }

        return file.Text;
    }

    private static S3Keys? ReadKeys(TomlTable table, bool isNeeded, SettingsReading reading)
    {
        if (!isNeeded)
        {
            _ = table.ReadString("access_key_id_file", "");
            _ = table.ReadString("secret_access_key_file", "");
            return null;
        }

        var id = ReadKey(table, "access_key_id_file", reading.ReadFile(table, "access_key_id_file", "/etc/lightmetrics/s3-access-key-id", isSecret: true));
        var secret = ReadKey(table, "secret_access_key_file", reading.ReadFile(table, "secret_access_key_file", "/etc/lightmetrics/s3-secret-access-key", isSecret: true));
        return new S3Keys(id, secret);
    }

    // Of a key nothing is shown, not even a part.
    private static string ReadKey(TomlTable table, string key, SettingsFile? file)
    {
        if (file is null)
        {
            return "";
        }

        var text = file.Text.Trim();
        if (text.Length is 0 or > 1024 || text.Any(static character => character is <= ' ' or > '~'))
        {
            table.Fault(key, $"{key}: {file.Path} holds no key: one line of 1 to 1024 printable ASCII characters without blanks is expected");
        }

        return text;
    }
}
