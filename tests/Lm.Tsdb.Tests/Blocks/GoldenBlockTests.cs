using System.Runtime.CompilerServices;
using Lm.Platform;
using Lm.Platform.Files;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>A block's bytes as they were when promtool read them; another byte needs another look by Prometheus.</summary>
public sealed class GoldenBlockTests
{
    private const string Name = "01HF7YAT00041061050R3GG28A";

    private static readonly Series Content = new([
        (new LabelSet(new Label("__name__", "requests_total"), new Label("instance", "web-1")), [.. Enumerable.Range(0, 130).Select(i => (1_699_999_200_000 + (i * 15_000L), (double)(i * i)))]),
        (new LabelSet(new Label("__name__", "requests_total"), new Label("instance", "日本")), [(1_699_999_200_000, 0.1), (1_699_999_200_001, BitConverter.Int64BitsToDouble(StaleMarker.Bits))]),
        (new LabelSet(new Label("__name__", "up")), [(1_699_999_260_000, 1)]),
    ]);

    private static readonly BlockProvenance Provenance = new()
    {
        Level = 2,
        Sources = [Parse("01HF7YAT00041061050R3GG289"), Parse("01HF7YAT00041061050R3GG288")],
        Parents = [new BlockRange(Parse("01HF7YAT00041061050R3GG288"), 1_699_999_200_000, 1_699_999_200_002)],
        IsLate = true,
        ExternalLabels = [new Label("lightmetrics_stream", "collector-1")],
        Coverage = [new BlockCoverage(UInt128.Parse("00112233445566778899aabbccddeeff", System.Globalization.NumberStyles.HexNumber, null), 1_699_999_200_000, 1_700_006_400_000, 42)],
    };

    [Theory]
    [InlineData("index")]
    [InlineData("chunks/000001")]
    [InlineData("meta.json")]
    public void A_block_has_the_bytes_that_it_had(string file)
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/blocks");
        TestData.Write(files, "/blocks", Parse(Name), Content, Provenance);

        Assert.Equal(Convert.ToHexStringLower(File.ReadAllBytes(Golden(file))), Convert.ToHexStringLower(files.Peek($"/blocks/{Name}/{file}")));
    }

    [Fact]
    public void The_golden_block_is_read()
    {
        using var block = BlockReader.Open(new PhysicalFileSystem(), Golden(""), new LabelCache());

        Assert.True(TestData.Read(block, TestData.Everything).SameAs(Content));
        Assert.Equal([new BlockCoverage(Provenance.Coverage[0].Incarnation, 1_699_999_200_000, 1_700_006_400_000, 42)], block.Meta.Coverage);
        Assert.True(block.Meta.IsLate);
    }

    private static Ulid Parse(string text) => Ulid.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static string Golden(string file, [CallerFilePath] string here = "") =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Combine(here, "../../../fixtures/golden/block", Name, file)));
}
