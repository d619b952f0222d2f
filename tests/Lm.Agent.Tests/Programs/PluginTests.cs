using System.Security.Cryptography;
using System.Text;
using Lm.Agent.Gathering;
using Lm.Agent.Programs;
using Lm.Agent.Settings;
using Lm.Protocol;

namespace Lm.Agent.Tests.Programs;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class PluginTests : IDisposable
{
    private const string Good = "#!/bin/sh\necho 'a{x=\"1\"} 5'\n";

    private readonly string directory = Directory.CreateTempSubdirectory("lm-plugin-").FullName;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly RecordingLogger logger = new();

    private string Program => Path.Combine(directory, "plugin");

    public void Dispose()
    {
        key.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void A_pinned_plugin_gives_its_samples_under_its_name()
    {
        Put("plugin", Good);

        var (fault, samples) = Run(Pinned(Good));

        Assert.Equal("", fault);
        Assert.Equal(["a{test,1}=5", "lmagent_plugin_up{test}=1", "lmagent_plugin_samples{test}=1"], samples);
    }

    [Fact]
    public void One_that_was_changed_is_not_started()
    {
        Put("plugin", $"#!/bin/sh\ntouch {directory}/ran\n");

        var (fault, samples) = Run(Pinned(Good));

        Assert.EndsWith("not the one of the configuration: it is not started", fault, StringComparison.Ordinal);
        Assert.Equal(["lmagent_plugin_up{test}=0", "lmagent_plugin_samples{test}=0"], samples);
        Assert.False(File.Exists(Path.Combine(directory, "ran")));
    }

    [Fact]
    public void One_that_is_signed_by_the_key_is_started()
    {
        Put("plugin", Good);
        Sign(Good);

        Assert.Equal("", Run(Signed()).Fault);
    }

    [Fact]
    public void One_without_a_signature_or_with_anothers_is_not_started()
    {
        Put("plugin", Good);
        Assert.Contains("is not started without a signature", Run(Signed()).Fault, StringComparison.Ordinal);

        Sign("#!/bin/sh\n");
        Assert.Contains("is no signature of", Run(Signed()).Fault, StringComparison.Ordinal);

        Put("plugin.sig", "garbage");
        Assert.Contains("is no signature of", Run(Signed()).Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo garbage", "line 1: there is no blank behind its name")]
    [InlineData("echo a 1; exit 3", "it ended with exit code 3")]
    [InlineData("yes 'a 1'", "it wrote more than 10000 bytes and was killed")]
    [InlineData("sleep 600", "it did not end within 500 ms and was killed")]
    [InlineData("kill -9 $$", "signal 9 ended it")]
    public void One_that_misbehaves_gives_nothing_but_that_it_is_down(string script, string expected)
    {
        var program = $"#!/bin/sh\n{script}\n";
        Put("plugin", program);

        var (fault, samples) = Run(Pinned(program));

        Assert.Equal(expected, fault);
        Assert.Equal(["lmagent_plugin_up{test}=0", "lmagent_plugin_samples{test}=0"], samples);
    }

    [Fact]
    public void One_that_is_not_there_is_told() => Assert.Equal($"{Program} is no file", Run(Pinned(Good)).Fault);

    private PluginSettings Pinned(string program) => Settings() with { Sha256 = SHA256.HashData(Encoding.UTF8.GetBytes(program)) };

    private PluginSettings Signed() => Settings() with { PublicKey = key, SignatureFile = Program + ".sig" };

    private PluginSettings Settings() => new("test", new ProgramSettings(Program, [])
    {
        Interval = TimeSpan.FromMinutes(1),
        Timeout = TimeSpan.FromMilliseconds(500),
        OutputBytesMax = 10_000,
        WorkingDirectory = "/",
        Environment = ["PATH=/usr/bin:/bin"],
    })
    {
        Rules = new SeriesRules(1000, [new Label("plugin", "test")], []),
    };

    private (string Fault, List<string> Samples) Run(PluginSettings settings)
    {
        var plugin = new Plugin(settings, TimeProvider.System, logger);
        var fault = plugin.Run(CancellationToken.None);
        return (fault, [.. plugin.Outlet.Last!.Samples
            .Where(sample => sample.Metric.Name != "lmagent_plugin_duration_seconds")
            .Select(sample => $"{sample.Metric.Name}{{{string.Join(',', sample.Labels.Select(label => label.Value))}}}={sample.Value}")]);
    }

    private void Sign(string program)
    {
        using var file = new FileStream(Program + ".sig", FileMode.Create);
        file.Write(key.SignData(Encoding.UTF8.GetBytes(program), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    private void Put(string name, string content)
    {
        using var file = new FileStream(Path.Combine(directory, name), FileMode.Create);
        file.Write(Encoding.UTF8.GetBytes(content));
    }
}
