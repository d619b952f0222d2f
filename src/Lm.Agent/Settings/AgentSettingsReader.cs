using System.Buffers;
using System.Net;
using System.Text;
using Lm.Agent.Queue;
using Lm.Platform.Files;
using Lm.Protocol;
using Lm.Toml;

namespace Lm.Agent.Settings;

/// <summary>Reads <c>agent.toml</c> and every file it names; all faults at once.</summary>
internal sealed class AgentSettingsReader
{
    /// <summary>The largest configuration file read, bytes.</summary>
    public const int FileBytesMax = 1 << 20;

    internal const int AgentIdCharsMax = 128;
    private const int LabelsMax = 28; // the collector takes 32 a series by default; the heartbeat's own need up to 4

    internal static readonly SearchValues<char> AgentIdChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private static readonly SearchValues<char> LabelNameChars =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private readonly TomlTable root;
    private readonly string path;
    private readonly TimeProvider time;

    private AgentSettingsReader(TomlTable root, string path, TimeProvider time)
    {
        this.root = root;
        this.path = path;
        this.time = time;
    }

    /// <summary>Reads and checks everything that start-up needs.</summary>
    /// <param name="path">The file as the operator named it.</param>
    /// <param name="time">The clock, for certificates that have expired.</param>
    /// <param name="faults">One line each, <c>file:line:column: message</c>, when the result is null.</param>
    public static AgentSettings? Read(string path, TimeProvider time, out IReadOnlyList<string> faults)
    {
        byte[]? bytes;
        try
        {
            bytes = AtomicFile.Read(new PhysicalFileSystem(), Path.GetFullPath(path), FileBytesMax);
        }
        catch (FileSystemException failure)
        {
            faults = [$"{path}:1:1: the configuration cannot be read: {failure.Message}"];
            return null;
        }

        if (bytes is null)
        {
            faults = [$"{path}:1:1: there is no such file; the path of an agent.toml is expected"];
            return null;
        }

        var document = TomlDocument.Parse(bytes, path);
        var settings = new AgentSettingsReader(document.Root, path, time).ReadAll();
        document.Root.RefuseUnknownKeys();
        faults = [.. document.Faults.All.Select(fault => fault.ToString())];
        if (faults.Count == 0)
        {
            return settings;
        }

        settings.Tls.Dispose();
        return null;
    }

    private AgentSettings ReadAll() => ReadAll(ReadQueueDirectory(), TimeSpan.FromMilliseconds(root.ReadInteger("interval_ms", 15_000, 10, 3_600_000)));

    private AgentSettings ReadAll(string queueDirectory, TimeSpan interval) => new()
    {
        AgentId = ReadAgentId(),
        IngestUrl = ReadIngestUrl(),
        Token = ReadToken(),
        Tls = ReadTls(),
        QueueDirectory = queueDirectory,
        QueueBytesMax = root.ReadInteger("max_queue_bytes", 512L << 20, 4 * QueueSize.SegmentMin, 1L << 44),
        Interval = interval,
        ShutdownTimeout = TimeSpan.FromMilliseconds(root.ReadInteger("shutdown_timeout_ms", 10_000, 0, 600_000)),
        LogsPerBatchMax = (int)root.ReadInteger("max_logs_per_batch", 1000, 1, 1_000_000),
        LogMessageBytesMax = (int)root.ReadInteger("max_log_message_bytes", 16_384, 64, 16 << 20),
        AlertsPerBatchMax = (int)root.ReadInteger("max_alerts_per_batch", 1, 0, 64),
        Labels = ReadLabels(),
        LogInputs = LogInputReader.ReadAll(root),
        Sources = SourcesReader.Read(root),
        Events = EventSettings.Read(root),
        Watches = WatchReader.ReadAll(root, queueDirectory),
        Gather = new GatherReader(root, path, interval, time).ReadAll(),
        MetricsListen = ReadMetricsListen(),
    };

    private IPEndPoint? ReadMetricsListen()
    {
        var table = root.ReadTable("metrics");
        if (!table.IsPresent)
        {
            return null;
        }

        var text = table.ReadRequiredString("listen");
        if (IPEndPoint.TryParse(text, out var address) && address.Port > 0 && IPAddress.IsLoopback(address.Address))
        {
            return address;
        }

        table.Fault("listen", $"listen is {Show(text)}; a loopback address and port is expected, for example 127.0.0.1:9101: what is served there needs no token");
        return null;
    }

    private string ReadAgentId()
    {
        var id = root.ReadRequiredString("agent_id");
        if (id.Length > AgentIdCharsMax)
        {
            root.Fault("agent_id", $"agent_id has {id.Length} characters; allowed are 1 to {AgentIdCharsMax}");
        }
        else if (id.AsSpan().IndexOfAnyExcept(AgentIdChars) is >= 0 and var at)
        {
            root.Fault("agent_id", $"agent_id has the character {Show(id[at])} in place {at + 1}; allowed are letters, digits and . _ -");
        }

        return id;
    }

    private Uri ReadIngestUrl()
    {
        var text = root.ReadRequiredString("ingest_url");
        const string Allowed = "https://HOST[:PORT] is expected, for example https://collector.example.internal:18443";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
        {
            root.Fault("ingest_url", $"ingest_url is no address; {Allowed}");
            return new Uri("https://invalid.");
        }

        var fault = url switch
        {
            { Scheme: not "https" } => $"the scheme is {url.Scheme}: telemetry and token leave over TLS alone",
            { UserInfo: not "" } => "a user or password stands in it: the token belongs into auth_token_file",
            { AbsolutePath: not "/" } => $"a path {Show(url.AbsolutePath)} stands in it: the path is always {BatchHeaders.Path}",
            { Query: not "" } or { Fragment: not "" } => "a query or fragment stands in it",
            { Port: 0 } => "the port is 0",
            _ => null,
        };
        if (fault is not null)
        {
            root.Fault("ingest_url", $"ingest_url is not usable: {fault}; {Allowed}");
        }

        return url;
    }

    private Secret ReadToken()
    {
        var path = root.ReadRequiredString("auth_token_file");
        if (path.Length > 0)
        {
            if (TokenFile.Read(path, out var fault) is { } token)
            {
                return token;
            }

            root.Fault("auth_token_file", $"auth_token_file: {fault}");
        }

        return new Secret("");
    }

    private TlsMaterial ReadTls()
    {
        var roots = ReadCertificates("tls_ca_cert_file");
        var chain = ReadCertificates("tls_client_cert_file");
        var certificatePath = root.ReadString("tls_client_cert_file", "");
        var keyPath = root.ReadString("tls_client_key_file", "");
        if (root.Has("tls_client_cert_file") != root.Has("tls_client_key_file"))
        {
            var (present, absent) = root.Has("tls_client_cert_file")
                ? ("tls_client_cert_file", "tls_client_key_file")
                : ("tls_client_key_file", "tls_client_cert_file");
            root.Fault(present, $"{present} is set and {absent} is not; a client certificate needs both");
            return new TlsMaterial { Roots = roots, ClientCertificate = null, ClientChain = [] };
        }

        if (chain is null || SecretFaultOf("tls_client_key_file", keyPath))
        {
            return new TlsMaterial { Roots = roots, ClientCertificate = null, ClientChain = [] };
        }

        var certificate = TlsMaterial.ReadWithKey(certificatePath, keyPath, out var fault);
        if (certificate is null)
        {
            root.Fault("tls_client_key_file", $"tls_client_key_file: {fault}");
        }

        chain[0].Dispose();
        chain.RemoveAt(0);
        return new TlsMaterial { Roots = roots, ClientCertificate = certificate, ClientChain = chain };
    }

    private System.Security.Cryptography.X509Certificates.X509Certificate2Collection? ReadCertificates(string key)
    {
        var path = root.ReadString(key, "");
        if (!root.Has(key))
        {
            return null;
        }

        var certificates = TlsMaterial.ReadCertificates(path, time, out var fault);
        if (certificates is null)
        {
            root.Fault(key, $"{key}: {fault}");
        }

        return certificates;
    }

    private bool SecretFaultOf(string key, string path)
    {
        if (SecretFile.FaultOf(path) is not { } fault)
        {
            return false;
        }

        root.Fault(key, $"{key}: {fault}");
        return true;
    }

    private string ReadQueueDirectory()
    {
        var path = root.ReadRequiredString("queue_dir");
        if (path.Length > 0 && (!Path.IsPathFullyQualified(path) || path.Contains('\0')))
        {
            root.Fault("queue_dir", $"queue_dir is {Show(path)}; an absolute path is expected");
        }

        return path.Length > 1 ? Path.TrimEndingDirectorySeparator(path) : path;
    }

    private Label[] ReadLabels()
    {
        var table = root.ReadTable("labels");
        var all = table.ReadAllStrings();
        if (all.Count > LabelsMax)
        {
            root.Fault("labels", $"[labels] has {all.Count} labels; allowed are {LabelsMax}");
        }

        foreach (var (name, value) in all)
        {
            if (FaultOfLabel(name, value) is { } fault)
            {
                table.Fault(name, fault);
            }
        }

        var labels = new List<Label>(all.Count);
        foreach (var (name, value) in all)
        {
            labels.Add(new Label(name, value));
        }

        labels.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        return [.. labels];
    }

    private static string? FaultOfLabel(string name, string value)
    {
        const int NameBytesMax = 128; // the collector's defaults, max_label_key_bytes and max_label_value_bytes
        const int ValueBytesMax = 512;
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || name.AsSpan().ContainsAnyExcept(LabelNameChars) || name.Length > NameBytesMax)
        {
            return $"{Show(name)} is no label name; expected are a letter or _, then letters, digits and _, {NameBytesMax} at most";
        }

        if (name.StartsWith("__", StringComparison.Ordinal))
        {
            return $"label {name} begins with __, which is reserved; give it another name";
        }

        var valueBytes = Encoding.UTF8.GetByteCount(value);
        return valueBytes is 0 or > ValueBytesMax
            ? $"the value of label {name} has {valueBytes} bytes; allowed are 1 to {ValueBytesMax}"
            : null;
    }

    private static string Show(char character) => char.IsControl(character) ? $"U+{(int)character:X4}" : $"'{character}'";

    internal static string Show(string text) => $"\"{(text.Length > 80 ? text[..80] + "…" : text).ReplaceLineEndings(" ")}\"";
}
