using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Gathering;
using Lm.Agent.Settings;
using Lm.Platform.Files;
using Lm.Protocol;

namespace Lm.Agent.Tests.Settings;

/// <summary>The fixtures name files below <c>@</c>, which each test makes.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class AgentSettingsTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("lm-agent-settings-").FullName;

    public AgentSettingsTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=agent", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        Put("token", "s3cret-token\n", "0600");
        Put("token-open", "s3cret-token\n", "0644");
        Put("ca.pem", certificate.ExportCertificatePem(), "0644");
        Put("agent.pem", certificate.ExportCertificatePem() + "\n" + certificate.ExportCertificatePem(), "0644");
        Put("agent.key", key.ExportPkcs8PrivateKeyPem(), "0600");
        Put("plugin.pem", key.ExportSubjectPublicKeyInfoPem(), "0644");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Put("p384.pem", other.ExportSubjectPublicKeyInfoPem(), "0644");
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void Missing_keys_have_the_documented_defaults()
    {
        var settings = Read("agent-minimal.good.toml");

        Assert.Equal(("local-agent", "/var/lib/lightmetrics/queue"), (settings.AgentId, settings.QueueDirectory));
        Assert.Equal((536_870_912L, 15.0, 10.0), (settings.QueueBytesMax, settings.Interval.TotalSeconds, settings.ShutdownTimeout.TotalSeconds));
        Assert.Equal((1000, 16_384, 1), (settings.LogsPerBatchMax, settings.LogMessageBytesMax, settings.AlertsPerBatchMax));
        Assert.Null(settings.Tls.Roots);
        Assert.Empty(settings.Labels);
    }

    [Fact]
    public void Every_key_is_taken()
    {
        var settings = Read("agent-full.good.toml");

        Assert.Equal("s3cret-token", settings.Token.Reveal());
        Assert.Equal((1_048_576L, 1.0, 0.0), (settings.QueueBytesMax, settings.Interval.TotalSeconds, settings.ShutdownTimeout.TotalSeconds));
        Assert.Equal((5, 1024, 0), (settings.LogsPerBatchMax, settings.LogMessageBytesMax, settings.AlertsPerBatchMax));
        Assert.Equal([new Label("rack", "7"), new Label("site", "lab")], settings.Labels);
        Assert.Equal(
            [("syslog", "/var/log/syslog", true, false), ("apps", "/var/log/apps/*.log", false, false), ("journal", "", true, true)],
            settings.LogInputs.Select(input => (input.Name, input.Path, input.StartAtEnd, input.IsJournal)));
        Assert.Equal(["_SYSTEMD_UNIT=nginx.service", "+", "PRIORITY=3"], settings.LogInputs[2].Matches);
        Assert.Equal(new EventSettings { Processes = false, ProcessEventsMax = 0 }, settings.Events);
        Assert.Equal([("etc", "/etc", false, 60), ("/srv", "/srv", true, 600)], settings.Watches.Select(watch => (watch.Name, watch.Path, watch.IsRecursive, watch.EventsPerMinuteMax)));
        Assert.Equal([FileChangeKinds.Created | FileChangeKinds.Modified, FileChangeKinds.All], settings.Watches.Select(watch => watch.Kinds));
        Assert.Equal(["*.conf", "ssl/**", ".*.sw?"], settings.Watches[0].Include.Concat(settings.Watches[0].Exclude).Select(pattern => pattern.Text));
        Assert.Equal((true, false, 1.0, 0, false), Rest(settings.LogInputs[0]));
        Assert.Equal((false, true, 0.25, 2, true), Rest(settings.LogInputs[1]));
        Assert.True(settings.LogInputs[1].MultilineStart!.IsMatch("1 begins"u8) && !settings.LogInputs[1].MultilineStart!.IsMatch(" goes on"u8));
        Assert.True(settings.Tls.ClientCertificate?.HasPrivateKey);
        Assert.Single(settings.Tls.ClientChain);
        Assert.Single(settings.Tls.Roots!);
    }

    [Fact]
    public void Sources_are_those_of_the_profile_host_as_the_catalog_has_them_when_nothing_is_said()
    {
        var sources = Read("agent-minimal.good.toml").Sources;

        Assert.Equal(new SourcesSettings(), sources);
        Assert.Equal((SourceProfile.Host, 10_000), (sources.Profile, sources.SeriesMax));
        Assert.All(sources.All, source => Assert.True(source.IsEnabled));
    }

    [Fact]
    public void Sources_are_switched_and_bounded_one_by_one()
    {
        var sources = Read("agent-full.good.toml").Sources;

        Assert.Equal(500, sources.SeriesMax);
        Assert.Equal(["cpu_info"], sources.All.Where(source => !source.IsEnabled).Select(source => source.Name));
        var filesystem = sources.Of("filesystem");
        Assert.Equal((60.0, 70), (filesystem.Interval.TotalSeconds, filesystem.SeriesMax));
        Assert.True(filesystem.Names!.Allows("/srv/a/b") && filesystem.Names.Allows("/") && !filesystem.Names.Allows("/home"));
        Assert.True(filesystem.Devices!.Allows("/dev/loop0") && filesystem.Types!.Allows("overlay") && !filesystem.Types.Allows("tmpfs"));
        Assert.Equal((3, 0), sources.Of("processes").Top);
        Assert.Equal(("/run/podman/podman.sock", ""), (sources.Of("containers").Socket, sources.Of("uname").Socket));
        Assert.NotEqual(new SourcesSettings(), sources);
    }

    private static (bool Recognises, bool HasOffsets, double Timeout, int Excludes, bool IsMultiline) Rest(LogInput input) =>
        (input.Recognises, input.HasOffsets, input.MultilineTimeout.TotalSeconds, input.Exclude.Count, input.MultilineStart is not null);

    [Fact]
    public void What_is_gathered_is_taken_with_its_defaults()
    {
        var settings = Read("agent-gather.good.toml");

        var (app, db) = (settings.Gather.Scrapes[0], settings.Gather.Scrapes[1]);
        Assert.Equal((15.0, 10.0, 4 << 20, 5000), (app.Interval.TotalSeconds, app.Timeout.TotalSeconds, app.BodyBytesMax, app.Rules.SamplesMax));
        Assert.Equal((60.0, 5.0, 65_536, 10), (db.Interval.TotalSeconds, db.Timeout.TotalSeconds, db.BodyBytesMax, db.Rules.SamplesMax));
        Assert.Equal([new Label("scrape", "db"), new Label("tier", "data")], db.Rules.Own);
        Assert.Equal([RelabelAction.Drop, RelabelAction.Replace], db.Rules.Rules.Select(rule => rule.Action));
        Assert.Equal("s3cret-token", db.Token!.Reveal());
        Assert.Single(db.Roots!);
        var free = Assert.Single(settings.Gather.Commands);
        Assert.Equal(("/usr/bin/free", "-b", "/tmp", false), (free.Program.Path, free.Program.Arguments[0], free.Program.WorkingDirectory, free.IsRecorded));
        Assert.Equal(["LC_ALL=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "X=1"], free.Program.Environment);
        Assert.Equal([("used", "lmagent_command_variable"), ("total", "memory_total_bytes"), ("json", "lmagent_command_variable")], free.Variables.Select(variable => (variable.Name, variable.Metric)));
        Assert.Equal([32, 0], settings.Gather.Plugins.Select(plugin => plugin.Sha256?.Length ?? 0));
        Assert.Equal("/usr/local/lib/lm/signed.sig", settings.Gather.Plugins[1].SignatureFile);
        Assert.Equal("/var/lib/lightmetrics/textfile", settings.Gather.Text!.Directory);
        Assert.Equal("127.0.0.1:9101", settings.MetricsListen!.ToString());
    }

    [Fact]
    public void A_configuration_that_others_can_write_runs_no_programs()
    {
        var path = Prepare("agent-gather.good.toml");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);

        Assert.Null(AgentSettingsReader.Read(path, TimeProvider.System, out var faults));

        Assert.EndsWith("can be written by its group or by others, who could have the agent run any program; chmod go-w it", Assert.Single(faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent-values.bad")]
    [InlineData("agent-gather.bad")]
    public void All_faults_of_a_file_are_told_at_once_with_their_places(string name)
    {
        var path = Prepare(name + ".toml");

        Assert.Null(AgentSettingsReader.Read(path, TimeProvider.System, out var faults));

        var expected = File.ReadAllLines(Fixture(name + ".faults"));
        Assert.Equal(expected, faults.Select(fault => fault.Replace(path + ":", "", StringComparison.Ordinal).Replace(directory, "@", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("agent.pem", "has no private key; a PEM block 'BEGIN PRIVATE KEY' is expected")]
    [InlineData("other.key", "has no key that belongs to the first certificate of ")]
    [InlineData("encrypted.key", "has an encrypted key, and the agent has no passphrase; a key without one, mode 0600, is expected")]
    public void A_key_file_that_holds_something_else_is_told_as_that(string name, string expected)
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Put("other.key", other.ExportPkcs8PrivateKeyPem(), "0600");
        Put("encrypted.key", other.ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)), "0600");

        Assert.Null(TlsMaterial.ReadWithKey(directory + "/agent.pem", Path.Combine(directory, name), out var fault));

        Assert.StartsWith($"{directory}/{name} {expected}", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_place_of_a_file_is_told_as_that()
    {
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        Assert.Null(TokenFile.Read(directory, out var fault));
        Assert.Null(AgentSettingsReader.Read(directory, TimeProvider.System, out var faults));

        Assert.Equal($"the token cannot be read: open {directory}: it is a folder; a file is expected", fault);
        Assert.Equal([$"{directory}:1:1: the configuration cannot be read: open {directory}: it is a folder; a file is expected"], faults);
    }

    [Fact]
    public void A_missing_file_is_a_fault_with_a_place()
    {
        Assert.Null(AgentSettingsReader.Read(directory + "/none.toml", TimeProvider.System, out var faults));
        Assert.Equal([$"{directory}/none.toml:1:1: there is no such file; the path of an agent.toml is expected"], faults);
    }

    [Theory]
    [InlineData("0600", false, true)]
    [InlineData("0400", false, true)]
    [InlineData("0640", true, true)]
    [InlineData("0640", false, false)]
    [InlineData("0660", true, false)]
    [InlineData("0644", true, false)]
    [InlineData("0601", true, false)]
    public void Secret_files_follow_the_mode_rule(string mode, bool isOwnedByRoot, bool isGood) =>
        Assert.Equal(isGood, SecretFile.FaultOf("x", Convert.ToUInt32(mode, 8), isOwnedByRoot ? 0u : 1000u) is null);

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" \n", "is empty")]
    [InlineData("two words", "one token alone")]
    [InlineData("a\nb", "one token alone")]
    [InlineData("schlüssel", "printable ASCII")]
    public void A_token_is_one_word_and_a_fault_never_shows_it(string content, string expected)
    {
        Put("odd", content, "0600");

        Assert.Null(TokenFile.Read(directory + "/odd", out var fault));

        Assert.Contains(expected, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("words", fault.Replace("one word", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_never_shows_its_text() => Assert.Equal("***", $"{new Secret("s3cret")}");

    private AgentSettings Read(string name)
    {
        var settings = AgentSettingsReader.Read(Prepare(name), TimeProvider.System, out var faults);
        Assert.Empty(faults);
        return settings!;
    }

    private string Prepare(string name)
    {
        Put(name, File.ReadAllText(Fixture(name)).Replace("@", directory, StringComparison.Ordinal), "0644");
        return Path.Combine(directory, name);
    }

    private void Put(string name, string content, string mode)
    {
        var path = Path.Combine(directory, name);
        using (var writer = new StreamWriter(path))
        {
            writer.Write(content);
        }

        File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(mode, 8));
    }

    private static string Fixture(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "../../fixtures/settings", name);
}
