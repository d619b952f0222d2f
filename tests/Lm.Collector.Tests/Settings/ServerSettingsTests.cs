using System.Runtime.CompilerServices;
using Lm.Collector.Settings;
using Lm.TestKit;
using Lm.Toml;

namespace Lm.Collector.Tests.Settings;

public sealed class ServerSettingsTests : IDisposable
{
    private readonly SettingsFolder folder = new();
    private readonly ManualTime time = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Everything_has_a_default_but_the_files_of_an_installed_machine()
    {
        var settings = Load(Fixture("server-minimal.good.toml"));
        Assert.Equal("0.0.0.0:18443", settings.Ingest.Listen.ToString());
        Assert.Equal("127.0.0.1:18080", settings.Query.Listen.ToString());
        Assert.Equal(new Lm.Protocol.Limits(), settings.Ingest.Limits);
        Assert.Equal(TimeSpan.FromDays(35), settings.Ingest.Backfill);
        Assert.Equal(ClientAuth.None, settings.Ingest.Tls.ClientAuth);
        Assert.Equal(10_737_418_240, settings.Storage.SpoolSizeMax);
        Assert.Equal("/var/lib/lightmetrics/spool", settings.Storage.SpoolDirectory);
        Assert.True(settings.Query.Token.Matches("query-secret"));
        Assert.True(settings.Ingest.Tokens.TryFind("token-of-a1", out var owner));
        Assert.Equal("a1", owner.AgentId);
        Assert.Equal(
            [
                $"{folder["ingest-tokens.toml"]}: the token of agent a1 has 11 characters and may be guessed; give it 16 at least, openssl rand -hex 32 makes a good one",
                $"the token in {folder["query-token"]} has 12 characters and may be guessed; give it 16 at least, openssl rand -hex 32 makes a good one",
            ],
            settings.Warnings);
    }

    [Fact]
    public void Every_key_of_the_design_is_known()
    {
        var settings = Load(Fixture("server-full.good.toml"));
        Assert.Equal("/lightmetrics/", settings.Query.BasePath);
        Assert.Equal(ClientAuth.Required, settings.Ingest.Tls.ClientAuth);
        Assert.NotNull(settings.Query.Certificate);
        Assert.Equal(folder["spool"], settings.Storage.SpoolDirectory);
        Assert.Equal(new ObjectStoreTarget { Directory = folder["objects"], Prefix = "fleet-a" }, settings.ObjectStore!.Target);
        Assert.Equal(TimeSpan.FromDays(400), settings.ObjectStore.Retention);
    }

    [Fact]
    public void All_faults_of_values_are_found_at_once() => AssertFaults("server-values.bad");

    [Fact]
    public void What_a_shared_log_does_not_go_with_is_said() => AssertFaults("server-shared.bad");

    [Fact]
    public void All_faults_of_files_are_found_at_once()
    {
        folder.Write("tokens-faulty.toml", "[[tokens]]\nagent_id = \"a1\"\ntoken = \"t\"\n[[tokens]]\nagent_id = \"a2\"\ntoken = \"t\"\n");
        folder.Write("dashboard-faulty.toml", "id = \n");
        AssertFaults("server-files.bad");
    }

    [Fact]
    public void All_faults_of_an_object_store_are_found_at_once()
    {
        folder.Write("s3-id", "id\n");
        folder.Write("s3-empty", "\n");
        AssertFaults("server-object-store.bad");
    }

    [Fact]
    public void An_object_store_of_s3_is_read_with_its_keys_and_shows_none_of_them()
    {
        folder.Write("s3-id", "the-id\n");
        folder.Write("s3-secret", "the-secret\n");
        var store = Load(WithStore("""
            bucket = "telemetry"
            endpoint = "https://s3.example.internal:9000"
            access_key_id_file = "s3-id"
            secret_access_key_file = "s3-secret"
            tls_ca_cert_file = "ca.pem"
            """)).ObjectStore!;

        Assert.Equal(("the-id", "the-secret"), (store.Keys!.Id, store.Keys.Secret));
        Assert.DoesNotContain("the-", store.ToString(), StringComparison.Ordinal);
        Assert.Equal(("telemetry", "https://s3.example.internal:9000/", "us-east-1", true), (store.Target.Bucket, store.Target.Endpoint!.ToString(), store.Target.Region, store.Target.ForcePathStyle));
        Assert.Equal((false, false, 64 << 20, TimeSpan.FromSeconds(30), 4), (store.Target.SendsChecksums, store.Target.UsesChunkEncoding, (int)store.Target.PartSize, store.Target.RequestTimeout, store.Target.TriesMax));
        Assert.NotNull(store.Target.TrustedRoots);
    }

    [Fact]
    public void Keys_are_reloaded_and_another_store_needs_a_restart()
    {
        folder.Write("s3-id", "the-id\n");
        folder.Write("s3-secret", "the-secret\n");
        const string Table = "bucket = \"telemetry\"\naccess_key_id_file = \"s3-id\"\nsecret_access_key_file = \"s3-secret\"\n";
        var file = WithStore(Table);
        var current = new CurrentSettings(Load(file));
        var logger = new RecordingLogger();
        var reload = new Reload(file, current, time, logger);

        folder.Write("s3-secret", "another\n");
        Assert.True(reload.Apply("test"));
        Assert.Equal("another", current.Value.ObjectStore!.Keys!.Secret);
        Assert.Empty(logger.Of(2007));

        WithStore(Table + "prefix = \"elsewhere\"\n");
        Assert.True(reload.Apply("test"));
        Assert.Equal("", current.Value.ObjectStore.Target.Prefix);
        Assert.Equal("Changed, but in effect only after a restart: [object_store] (all but its keys, manifest_linger_ms and retention_days).", Assert.Single(logger.Of(2007)));
    }

    [Fact]
    public void A_fault_of_syntax_in_a_dashboard_is_a_fault_of_that_file()
    {
        folder.Write("dashboard.toml", "id = \n");
        var fault = Assert.Single(FaultsOf(Fixture("server-full.good.toml")));
        Assert.Equal((folder["dashboard.toml"], 1), (fault.FileName, fault.Position.Line));
    }

    [Fact]
    public void Ids_of_dashboards_are_unique_and_take_a_built_in_ones_place_only_when_they_say_so()
    {
        Directory.CreateDirectory(folder["dashboards"]);
        folder.Write("dashboards/a.toml", "id = \"x\"\ntitle = \"X again\"\n");
        folder.Write("dashboards/b.toml", "title = \"Mine\"\nid = \"host\"\n");
        var file = Fixture("server-minimal.good.toml");
        File.AppendAllText(file, "\n[dashboards]\ndefinition_files = [\"dashboard.toml\"]\ndefinition_dirs = [\"dashboards\"]\n");
        Assert.Equal(
            [
                $"{folder["dashboards/a.toml"]}:1:6: id is x, which {folder["dashboard.toml"]} has",
                $"{folder["dashboards/b.toml"]}:2:6: id is host, which a built-in dashboard has; choose another, or set overrides_builtin = true to take its place",
            ],
            FaultsOf(file).Select(fault => fault.ToString()));

        folder.Write("dashboards/a.toml", "id = \"a\"\ntitle = \"A\"\noverrides_builtin = true\n");
        folder.Write("dashboards/b.toml", "title = \"Mine\"\nid = \"host\"\noverrides_builtin = true\n");
        var settings = Load(file);
        Assert.Equal(["x", "a", "host"], settings.Dashboards.Select(dashboard => dashboard.Id));
        Assert.Contains($"{folder["dashboards/a.toml"]}: overrides_builtin is true, and no built-in dashboard has the id a", settings.Warnings);
    }

    [Fact]
    public void A_reload_takes_changed_dashboards_and_a_broken_one_keeps_the_old()
    {
        var file = Fixture("server-full.good.toml");
        var current = new CurrentSettings(Load(file));
        var reload = new Reload(file, current, time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        folder.Write("dashboard.toml", "id = \"x\"\ntitle = \"Changed\"\n");
        Assert.True(reload.Apply("test"));
        Assert.Equal("Changed", Assert.Single(current.Value.Dashboards).Title);

        folder.Write("dashboard.toml", "id = \"x\"\n");
        Assert.False(reload.Apply("test"));
        Assert.Equal("Changed", Assert.Single(current.Value.Dashboards).Title);
    }

    [Fact]
    public async Task A_new_definition_that_was_refused_is_read_again_once_it_is_corrected()
    {
        Directory.CreateDirectory(folder["dashboards"]);
        var file = Fixture("server-minimal.good.toml");
        await File.AppendAllTextAsync(file, "\n[dashboards]\ndefinition_dirs = [\"dashboards\"]\n", TestContext.Current.CancellationToken);
        var current = new CurrentSettings(Load(file));
        var reload = new Reload(file, current, time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        using var stopping = new CancellationTokenSource();
        var running = reload.RunAsync(stopping.Token);

        folder.Write("dashboards/new.toml", "id = \"new\"\n");
        await LookAsync(() => current.Refused is not null);
        Assert.Contains("title is missing", Assert.Single(current.Refused!.Faults), StringComparison.Ordinal);

        folder.Write("dashboards/new.toml", "id = \"new\"\ntitle = \"New\"\n");
        await LookAsync(() => current.Value.Dashboards.Count > 0);
        Assert.Equal("New", Assert.Single(current.Value.Dashboards).Title);
        await stopping.CancelAsync();
        await running;

        async Task LookAsync(Func<bool> isThere)
        {
            while (!isThere())
            {
                time.Advance(TimeSpan.FromSeconds(2));
                await Task.Yield(); // the looks run on threads of the pool
            }
        }
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        Assert.Null(ServerSettings.TryLoad(folder["none.toml"], time, out var faults));
        Assert.Equal($"{folder["none.toml"]}:1:1: there is no file {folder["none.toml"]}", Assert.Single(faults).ToString());
    }

    [Theory]
    [InlineData("key.pem", "7:12")]
    [InlineData("ingest-tokens.toml", "3:20")]
    [InlineData("query-token", "10:14")]
    public void A_secret_file_that_others_can_read_is_a_fault_at_its_key(string name, string place)
    {
        File.SetUnixFileMode(folder[name], UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var fault = Assert.Single(FaultsOf(Fixture("server-minimal.good.toml")));
        Assert.Contains("mode 0404: a secret file must have no bits for others", fault.Message, StringComparison.Ordinal);
        Assert.Equal(place, $"{fault.Position.Line}:{fault.Position.Column}");
    }

    [Theory]
    [InlineData("key.pem", "cert.pem", "7:12: key_file: DIR/key.pem holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)")]
    [InlineData("key.pem", "other-key.pem", "7:12: key_file: DIR/key.pem holds no private key that matches the first certificate of cert_file (CN=localhost)")]
    [InlineData("cert.pem", "key.pem", "6:13: cert_file: DIR/cert.pem holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    public void A_file_that_holds_something_else_is_told_as_that(string name, string content, string expected)
    {
        folder.Write(name, File.ReadAllText(folder[content]));
        Assert.Equal(
            expected,
            Assert.Single(FaultsOf(Fixture("server-minimal.good.toml"))).ToString()
                .Replace(folder["server.toml"] + ":", "", StringComparison.Ordinal).Replace(folder.Path, "DIR", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("one two three four", "has a blank in place 4;")]
    [InlineData("one\ntwo", "has a line break in place 4;")]
    [InlineData("one\u0001", "has a control character in place 4;")]
    [InlineData("schl\u00fcssel", "has a character beyond ASCII in place 5;")]
    [InlineData("", "is empty")]
    public void A_token_that_no_header_carries_is_told_by_place_and_kind(string token, string expected) =>
        Assert.StartsWith(expected, TokenTableReader.FaultOf(token), StringComparison.Ordinal);

    [Fact]
    public void Client_certificates_without_their_authorities_are_a_fault_where_they_are_asked_for()
    {
        var file = Fixture("server-full.good.toml");
        folder.Write("server.toml", File.ReadAllText(file).Replace("client_ca_file = \"cert.pem\"", "", StringComparison.Ordinal));
        var fault = Assert.Single(FaultsOf(file));
        Assert.StartsWith("client_auth asks agents for certificates, and client_ca_file is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_fault_shows_a_token()
    {
        folder.Write("ingest-tokens.toml", "[[tokens]]\nagent_id = \"a1\"\ntoken = \"se cret\"\n[[tokens]]\nagent_id=\"a2\"\ntoken=\"sec\u00e9cret\"\n");
        folder.Write("query-token", "se cret");
        var faults = FaultsOf(Fixture("server-minimal.good.toml"));
        Assert.Equal(3, faults.Count);
        Assert.All(faults, fault => Assert.DoesNotContain("cret\"", fault.Message, StringComparison.Ordinal));
        Assert.Equal("***", new Secret("x").ToString());
    }

    [Fact]
    public void A_certificate_that_ended_is_a_warning_not_a_fault()
    {
        var ended = TestCertificates.NewLeaf(folder.Authority, "localhost", new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero));
        folder.Write("cert.pem", ended.ExportCertificatePem());
        folder.Write("key.pem", System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(ended)!.ExportPkcs8PrivateKeyPem());
        Assert.Single(Load(Fixture("server-minimal.good.toml")).Warnings, warning => warning.Contains("ended on 2024-01-01", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:1", "127.0.0.1:1")]
    [InlineData("[::1]:65535", "[::1]:65535")]
    [InlineData("localhost:80", "127.0.0.1:80")]
    [InlineData("::1:80", null)]
    [InlineData("127.1:80", null)]
    [InlineData("127.0.0.1", null)]
    [InlineData("127.0.0.1:", null)]
    [InlineData("127.0.0.1:65536", null)]
    [InlineData("127.0.0.1:+1", null)]
    [InlineData("example.org:80", null)]
    [InlineData("", null)]
    public void A_listen_address_is_an_address_and_a_port(string text, string? expected) =>
        Assert.Equal(expected, ListenAddress.TryParse(text, out var address) ? address.ToString() : null);

    [Fact]
    public void Reload_is_all_or_nothing()
    {
        var file = Fixture("server-minimal.good.toml");
        var current = new CurrentSettings(Load(file));
        var reload = new Reload(file, current, time, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        folder.Write("query-token", "rotated");
        folder.Write("ingest-tokens.toml", "[[tokens]]\nagent_id = 5\n");
        Assert.False(reload.Apply("test"));
        Assert.True(current.Value.Query.Token.Matches("query-secret"));

        folder.Write("ingest-tokens.toml", "[[tokens]]\nagent_id = \"a2\"\ntoken = \"t2\"\n");
        Assert.True(reload.Apply("test"));
        Assert.True(current.Value.Query.Token.Matches("rotated"));
        Assert.False(current.Value.Ingest.Tokens.TryFind("token-of-a1", out _));
    }

    [Fact]
    public void A_reload_names_what_needs_a_restart_and_goes_on_with_what_was_opened()
    {
        var file = Fixture("server-full.good.toml");
        var current = new CurrentSettings(Load(file));
        var before = current.Value;
        var logger = new RecordingLogger();
        var reload = new Reload(file, current, time, logger);
        var text = File.ReadAllText(file)
            .Replace("0.0.0.0:18443", "127.0.0.1:1", StringComparison.Ordinal)
            .Replace("[::]:18080", "127.0.0.1:2", StringComparison.Ordinal)
            .Replace("[query.tls]\ncert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n", "", StringComparison.Ordinal)
            .Replace("\"spool\"", "\"elsewhere\"", StringComparison.Ordinal)
            .Replace("\"cache\"", "\"elsewhere-too\"", StringComparison.Ordinal)
            .Replace("\"collector-1\"", "\"collector-2\"", StringComparison.Ordinal)
            .Replace($"block_hours = {before.Storage.BlockHours}", $"block_hours = {before.Storage.BlockHours + 1}", StringComparison.Ordinal);
        folder.Write("server.toml", text);

        for (var i = 0; i < 2; i++) // the second one, too: nothing was restarted meanwhile
        {
            Assert.True(reload.Apply("test"));
            Assert.Equal(
                "Changed, but in effect only after a restart: ingest.listen, query.listen, [query.tls] (taken out), storage.spool_dir, storage.cache_dir, storage.collector_id, storage.block_hours.",
                logger.Of(2007)[i]);
        }

        var now = current.Value;
        Assert.Equal((before.Ingest.Listen, before.Query.Listen, before.Query.Tls), (now.Ingest.Listen, now.Query.Listen, now.Query.Tls));
        Assert.NotNull(current.QueryTls);
        Assert.Equal(
            (before.Storage.SpoolDirectory, before.Storage.CacheDirectory, before.Storage.CollectorId, before.Storage.BlockHours),
            (now.Storage.SpoolDirectory, now.Storage.CacheDirectory, now.Storage.CollectorId, now.Storage.BlockHours));

        folder.Write("server.toml", text.Replace("max_logs_per_batch = 4096", "max_logs_per_batch = 7", StringComparison.Ordinal)
            .Replace("base_path = \"/lightmetrics\"", "base_path = \"/\"", StringComparison.Ordinal));
        Assert.True(reload.Apply("test"));
        Assert.Equal((7, "/"), (current.Value.Ingest.Limits.LogsPerBatchMax, current.Value.Query.BasePath));
    }

    private string Fixture(string name, [CallerFilePath] string here = "")
    {
        var source = Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/settings", name);
        folder.Write("server.toml", File.ReadAllText(source));
        return folder["server.toml"];
    }

    private string WithStore(string table)
    {
        var file = Fixture("server-minimal.good.toml");
        File.AppendAllText(file, "\n[object_store]\n" + table);
        return file;
    }

    private ServerSettings Load(string file)
    {
        var settings = ServerSettings.TryLoad(file, time, out var faults);
        Assert.Empty(faults.Select(fault => fault.ToString()));
        return settings!;
    }

    private IReadOnlyList<SettingsFault> FaultsOf(string file)
    {
        Assert.Null(ServerSettings.TryLoad(file, time, out var faults));
        return faults;
    }

    private void AssertFaults(string name, [CallerFilePath] string here = "")
    {
        var found = FaultsOf(Fixture(name + ".toml")).Select(fault => fault.ToString()
            .Replace(folder["server.toml"] + ":", "", StringComparison.Ordinal)
            .Replace(folder.Path + "/tokens", "tokens", StringComparison.Ordinal)
            .Replace(folder.Path + "/dashboard-", "dashboard-", StringComparison.Ordinal)
            .Replace(folder.Path, "DIR", StringComparison.Ordinal));
        var expected = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/settings", name + ".faults"));
        Assert.Equal(expected, found);
    }
}
