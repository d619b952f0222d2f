using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>[query]</c> and <c>[query.tls]</c>.</summary>
internal static class QuerySettingsReader
{
    /// <summary>Reads the table and the files that it names.</summary>
    public static QuerySettings Read(TomlTable table, SettingsReading reading)
    {
        var tls = table.ReadTable("tls");
        var listen = IngestSettingsReader.ReadListen(table, "127.0.0.1:18080");
        var allowPlaintext = table.ReadBoolean("allow_plaintext", false);
        if (!listen.IsLoopback && !tls.IsPresent && !allowPlaintext)
        {
            table.Fault("listen", $"listen is {listen}, which other machines can reach, and there is no [query.tls]: the token would travel in clear; "
                + "listen on 127.0.0.1, add [query.tls], or set allow_plaintext = true");
        }

        return new QuerySettings
        {
            Listen = listen,
            Token = ReadToken(table, reading),
            Timeout = TimeSpan.FromSeconds(table.ReadInteger("timeout_seconds", 60, 1, 3600)),
            SamplesMax = table.ReadInteger("max_samples", 50_000_000, 1, long.MaxValue),
            PromqlSemantics = (int)table.ReadInteger("promql_semantics", 3, 2, 3),
            AllowedHosts = ReadHosts(table),
            BasePath = ReadBasePath(table),
            AllowPlaintext = allowPlaintext,
            Tls = tls.IsPresent ? new TlsFiles(tls.ReadString("cert_file", ""), tls.ReadString("key_file", "")) : null,
            Certificate = tls.IsPresent ? CertificateReader.Read(tls, null, null, reading) : null,
        };
    }

    private static Secret ReadToken(TomlTable table, SettingsReading reading)
    {
        if (reading.ReadFile(table, "token_file", "/etc/lightmetrics/query-token", isSecret: true) is not { } file)
        {
            return new Secret("");
        }

        var token = file.Text.Trim();
        if (TokenTableReader.FaultOf(token) is { } fault)
        {
            table.Fault("token_file", $"token_file: the token in {file.Path} {fault}");
        }
        else
        {
            TokenTableReader.WarnOfShort(token, $"the token in {file.Path}", reading);
        }

        return new Secret(token);
    }

    private static List<string> ReadHosts(TomlTable table)
    {
        var hosts = new List<string>();
        foreach (var host in table.ReadStrings("allowed_hosts"))
        {
            if (host.Length == 0 || Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown)
            {
                table.Fault("allowed_hosts", $"allowed_hosts has \"{host}\"; host names or addresses without a port are expected");
            }

            hosts.Add(host.ToLowerInvariant());
        }

        return hosts;
    }

    private static string ReadBasePath(TomlTable table)
    {
        var path = table.ReadString("base_path", "/");
        if (!path.StartsWith('/') || path.Contains("//", StringComparison.Ordinal) || path.Any(character => character is <= ' ' or '?' or '#' or '\\' or '%' or '"' or '<' or '>' or > '~'))
        {
            table.Fault("base_path", $"base_path is \"{path}\"; a path such as \"/\" or \"/lightmetrics/\" is expected");
        }

        return path.EndsWith('/') ? path : path + "/";
    }
}
