using System.Security.Cryptography;
using System.Text;
using Lm.Agent.Exposition;
using Lm.Agent.Gathering;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>[[scrapes]]</c>, <c>[[commands]]</c>, <c>[[plugins]]</c> and <c>[textfile]</c>.</summary>
/// <param name="root">The whole configuration.</param>
/// <param name="configPath">Its file: who may write it may have programs run.</param>
/// <param name="tick">The agent's interval.</param>
/// <param name="time">The clock, for certificates that have expired.</param>
internal sealed class GatherReader(TomlTable root, string configPath, TimeSpan tick, TimeProvider time)
{
    private const int TablesMax = 64;
    private const int LabelsMax = 16;
    private const int NameCharsMax = 128;
    private const int SamplesMax = 50_000;
    private const long IntervalMsMax = 86_400_000;

    /// <summary>Reads all of it.</summary>
    public GatherSettings ReadAll()
    {
        var commands = ReadTables("commands");
        var plugins = ReadTables("plugins");
        if (commands.Count + plugins.Count > 0)
        {
            RefuseOthersConfiguration(commands.Count > 0 ? "commands" : "plugins");
        }

        return new GatherSettings
        {
            Scrapes = [.. ReadNamed(ReadTables("scrapes"), "scrapes", ReadScrape)],
            Commands = [.. ReadNamed(commands, "commands", ReadCommand)],
            Plugins = [.. ReadNamed(plugins, "plugins", ReadPlugin)],
            Text = ReadTextFolder(),
        };
    }

    private IReadOnlyList<TomlTable> ReadTables(string key)
    {
        var tables = root.ReadTables(key);
        if (tables.Count > TablesMax)
        {
            root.Fault(key, $"there are {tables.Count} [[{key}]]; allowed are {TablesMax}");
        }

        return tables;
    }

    private static IEnumerable<T> ReadNamed<T>(IReadOnlyList<TomlTable> tables, string key, Func<TomlTable, string, T> read)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            var name = ReadName(table);
            if (name.Length > 0 && !names.Add(name))
            {
                table.Fault("name", $"name {AgentSettingsReader.Show(name)} stands in an earlier [[{key}]] too; each needs its own");
            }

            yield return read(table, name);
        }
    }

    private ScrapeSettings ReadScrape(TomlTable table, string name)
    {
        var (interval, timeout) = ReadTimes(table, timeoutMsMissing: 10_000);
        var url = ReadUrl(table);
        return new ScrapeSettings(name, url)
        {
            Interval = interval,
            Timeout = timeout,
            BodyBytesMax = (int)table.ReadInteger("max_body_bytes", 4 << 20, 1024, 64 << 20),
            Rules = ReadRules(table, new Label("scrape", name), samplesMissing: 5000),
            Token = ReadToken(table, url),
            Roots = ReadRoots(table, url),
        };
    }

    private static Uri ReadUrl(TomlTable table)
    {
        var text = table.ReadRequiredString("url");
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.UserInfo.Length == 0 && url.Fragment.Length == 0 && url.Port > 0)
        {
            return url;
        }

        table.Fault("url", $"url is {AgentSettingsReader.Show(text)}; http://HOST[:PORT][/PATH] or https:// is expected, without user and fragment, for example http://127.0.0.1:8080/metrics");
        return new Uri("http://invalid.");
    }

    private static Secret? ReadToken(TomlTable table, Uri url)
    {
        var path = table.ReadString("auth_token_file", "");
        if (!table.Has("auth_token_file"))
        {
            return null;
        }

        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
        {
            table.Fault("auth_token_file", "auth_token_file with an http url of another host would send the token in the clear; give an https url");
            return null;
        }

        var token = TokenFile.Read(path, out var fault);
        if (token is null)
        {
            table.Fault("auth_token_file", $"auth_token_file: {fault}");
        }

        return token;
    }

    private System.Security.Cryptography.X509Certificates.X509Certificate2Collection? ReadRoots(TomlTable table, Uri url)
    {
        var path = table.ReadString("tls_ca_cert_file", "");
        if (!table.Has("tls_ca_cert_file"))
        {
            return null;
        }

        if (url.Scheme != Uri.UriSchemeHttps)
        {
            table.Fault("tls_ca_cert_file", "tls_ca_cert_file is for https; leave it out, or give an https url");
            return null;
        }

        var roots = TlsMaterial.ReadCertificates(path, time, out var fault);
        if (roots is null)
        {
            table.Fault("tls_ca_cert_file", $"tls_ca_cert_file: {fault}");
        }

        return roots;
    }

    private CommandSettings ReadCommand(TomlTable table, string name) => new(name, ReadProgram(table, intervalMsMissing: 60_000, outputBytesMissing: 64 << 10, outputBytesMax: 1 << 20))
    {
        IsRecorded = table.ReadBoolean("record", true),
        Variables = VariableReader.ReadAll(table),
    };

    private PluginSettings ReadPlugin(TomlTable table, string name)
    {
        var program = ReadProgram(table, intervalMsMissing: 0, outputBytesMissing: 1 << 20, outputBytesMax: 16 << 20);
        var (hash, key, signature) = ReadTrust(table, program.Path);
        return new PluginSettings(name, program)
        {
            Sha256 = hash,
            PublicKey = key,
            SignatureFile = signature,
            Rules = ReadRules(table, new Label("plugin", name), samplesMissing: 5000),
        };
    }

    private static (byte[]? Hash, ECDsa? Key, string SignatureFile) ReadTrust(TomlTable table, string program)
    {
        var hex = table.ReadString("sha256", "");
        var keyPath = table.ReadString("public_key_file", "");
        var signature = table.ReadString("signature_file", program + ".sig");
        if (table.Has("sha256") == table.Has("public_key_file"))
        {
            table.Fault(table.Has("sha256") ? "public_key_file" : "name",
                "a plug-in needs sha256 (the program's, 64 hexadecimal digits) or public_key_file (an ECDSA P-256 key that signed it), and only one of them");
            return (null, null, signature);
        }

        if (table.Has("sha256"))
        {
            if (hex.Length == 2 * SHA256.HashSizeInBytes && hex.All(char.IsAsciiHexDigit))
            {
                return (Convert.FromHexString(hex), null, signature);
            }

            table.Fault("sha256", $"sha256 is {AgentSettingsReader.Show(hex)}; 64 hexadecimal digits are expected, as sha256sum prints them");
            return (null, null, signature);
        }

        if (!Path.IsPathFullyQualified(signature))
        {
            table.Fault("signature_file", $"signature_file is {AgentSettingsReader.Show(signature)}; an absolute path is expected");
        }

        var key = ReadPublicKey(keyPath, out var fault);
        if (key is null)
        {
            table.Fault("public_key_file", $"public_key_file: {fault}");
        }

        return (null, key, signature);
    }

    private static ECDsa? ReadPublicKey(string path, out string fault)
    {
        const int KeyBits = 256;
        const string Prime256 = "1.2.840.10045.3.1.7";
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(path));
            if (key.KeySize == KeyBits && key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value is null or Prime256)
            {
                fault = "";
                return key;
            }

            fault = $"{path} has a key of another kind; ECDSA over P-256 is expected";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            fault = $"{path} cannot be read: {failure.Message}";
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            fault = $"{path} has no public key; a PEM block 'BEGIN PUBLIC KEY' of an ECDSA P-256 key is expected";
        }

        key.Dispose();
        return null;
    }

    private ProgramSettings ReadProgram(TomlTable table, long intervalMsMissing, int outputBytesMissing, int outputBytesMax)
    {
        const int ArgumentsMax = 256;
        var words = table.ReadStrings("argv");
        var path = words.Count > 0 ? words[0] : "";
        if (words.Count is 0 or > ArgumentsMax || !Path.IsPathFullyQualified(path) || words.Any(word => word.Contains('\0')))
        {
            table.Fault("argv", $"argv is {(words.Count == 0 ? "empty or missing" : AgentSettingsReader.Show(path) + " and more")}; an array of 1 to {ArgumentsMax} strings is expected, an absolute path first: no shell reads it and no PATH is searched");
        }

        var directory = table.ReadString("working_directory", "/");
        if (!Path.IsPathFullyQualified(directory) || directory.Contains('\0'))
        {
            table.Fault("working_directory", $"working_directory is {AgentSettingsReader.Show(directory)}; an absolute path is expected");
        }

        var (interval, timeout) = ReadTimes(table, timeoutMsMissing: 10_000, intervalMsMissing);
        return new ProgramSettings(path, [.. words.Skip(1)])
        {
            Interval = interval,
            Timeout = timeout,
            OutputBytesMax = (int)table.ReadInteger("max_output_bytes", outputBytesMissing, 1, outputBytesMax),
            WorkingDirectory = directory,
            Environment = ReadEnvironment(table.ReadTable("environment")),
        };
    }

    private static List<string> ReadEnvironment(TomlTable table)
    {
        // Nothing of the agent's own: tokens and proxies of its environment are none of a command's business.
        var lines = new Dictionary<string, string>(StringComparer.Ordinal) { ["LC_ALL"] = "C", ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
        foreach (var (name, value) in table.ReadAllStrings())
        {
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0') || value.Contains('\0'))
            {
                table.Fault(name, $"{AgentSettingsReader.Show(name)} is no name of a variable, or its value holds a NUL");
            }

            lines[name] = value;
        }

        return [.. lines.Keys.Select(name => $"{name}={lines[name]}")];
    }

    private TextFolderSettings? ReadTextFolder()
    {
        var table = root.ReadTable("textfile");
        if (!table.IsPresent)
        {
            return null;
        }

        var directory = table.ReadRequiredString("directory");
        if (directory.Length > 0 && (!Path.IsPathFullyQualified(directory) || directory.Contains('\0')))
        {
            table.Fault("directory", $"directory is {AgentSettingsReader.Show(directory)}; an absolute path is expected");
        }

        return new TextFolderSettings(Path.TrimEndingDirectorySeparator(directory))
        {
            Interval = ReadInterval(table, 0),
            FileBytesMax = (int)table.ReadInteger("max_file_bytes", 1 << 20, 1024, 16 << 20),
            SamplesMax = (int)table.ReadInteger("max_samples", 5000, 1, SamplesMax),
        };
    }

    private (TimeSpan Interval, TimeSpan Timeout) ReadTimes(TomlTable table, long timeoutMsMissing, long intervalMsMissing = 0)
    {
        var interval = ReadInterval(table, intervalMsMissing);
        var missing = Math.Max(1, Math.Min(timeoutMsMissing, (long)interval.TotalMilliseconds * 2 / 3));
        var timeoutMs = table.ReadInteger("timeout_ms", missing, 1, 600_000);
        if (timeoutMs >= interval.TotalMilliseconds)
        {
            table.Fault("timeout_ms", $"timeout_ms is {timeoutMs}, not less than interval_ms, which is {interval.TotalMilliseconds:0}");
        }

        return (interval, TimeSpan.FromMilliseconds(timeoutMs));
    }

    private TimeSpan ReadInterval(TomlTable table, long missing)
    {
        var tickMs = (long)tick.TotalMilliseconds;
        var intervalMs = table.ReadInteger("interval_ms", Math.Max(missing, tickMs), 10, IntervalMsMax);
        if (intervalMs < tickMs)
        {
            table.Fault("interval_ms", $"interval_ms is {intervalMs}, less than the agent's own, which is {tickMs}: what comes is taken at its ticks");
        }

        return TimeSpan.FromMilliseconds(Math.Max(intervalMs, tickMs));
    }

    private static string ReadName(TomlTable table)
    {
        var name = table.ReadRequiredString("name");
        if (name.Length > NameCharsMax || name.AsSpan().ContainsAnyExcept(AgentSettingsReader.AgentIdChars))
        {
            table.Fault("name", $"name is {AgentSettingsReader.Show(name)}; allowed are 1 to {NameCharsMax} letters, digits and . _ -");
        }

        return name;
    }

    private static SeriesRules ReadRules(TomlTable table, Label own, int samplesMissing)
    {
        var labels = table.ReadTable("labels");
        List<Label> all = [own];
        foreach (var (name, value) in labels.ReadAllStrings())
        {
            if (!ExpositionLine.IsName(Encoding.UTF8.GetBytes(name)) || name.Contains(':') || name.StartsWith("__", StringComparison.Ordinal) || name == own.Name
                || Encoding.UTF8.GetByteCount(value) is 0 or > ExpositionLabels.ValueBytesMax)
            {
                labels.Fault(name, $"{AgentSettingsReader.Show(name)} is no label that can be set here: expected are letters, digits and _, not __ first, not {own.Name}, and a value of 1 to {ExpositionLabels.ValueBytesMax} bytes");
            }

            all.Add(new Label(name, value));
        }

        if (all.Count > LabelsMax)
        {
            table.Fault("labels", $"labels has {all.Count - 1} labels; allowed are {LabelsMax - 1}");
        }

        return new SeriesRules((int)table.ReadInteger("max_samples", samplesMissing, 1, SamplesMax), all, RelabelReader.ReadAll(table));
    }

    private void RefuseOthersConfiguration(string key)
    {
        const UnixFileMode ByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (FollowedFile.TryLookAt(Path.GetFullPath(configPath), out var facts) && (facts.Permissions & ByOthers) != 0)
        {
            root.Fault(key, $"{configPath} can be written by its group or by others, who could have the agent run any program; chmod go-w it");
        }
    }
}
