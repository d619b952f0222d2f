using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lm.Logs.Files;
using Lm.Logs.Lines;
using Lm.Logs.Query;
using Lm.TestKit;

namespace Lm.Logs.Tests;

public sealed class LogPropertyTests
{
    private static readonly Arbitrary<byte[]> Bytes = ArbMap.Default.ArbFor<byte[]>();

    // Texts of all kinds, valid: what is not becomes U+FFFD, as an agent makes it.
    private static readonly Arbitrary<byte[]> Texts = Gen.OneOf(
        ArbMap.Default.GeneratorFor<string?>().Select(static text => Encoding.UTF8.GetBytes(text ?? "")),
        Gen.Choose(0, 1 << 20).Select(static seed => Encoding.UTF8.GetBytes(new RandomLines(seed).Body()))).ToArbitrary();

    [Fact]
    public void Any_text_comes_back_from_its_escaped_form_ours_and_as_JSON() => Prop.ForAll(Texts, static text =>
    {
        var escaped = Escape(text);
        var plain = new ByteBuffer();

        Assert.True(JsonText.TryAppendPlain(plain, escaped));
        Assert.Equal(text, plain.Written.ToArray());
        Assert.Equal(Encoding.UTF8.GetString(text), JsonElement.Parse((byte[])[(byte)'"', .. escaped, (byte)'"']).GetString());
        Assert.DoesNotContain((byte)'\n', escaped);
        Assert.Equal(escaped.Length, JsonText.LengthOf((byte[])[.. escaped, (byte)'"', .. text], out var hasEscapes));
        Assert.Equal(escaped.Contains((byte)'\\'), hasEscapes);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_escaped_form_of_a_part_is_a_part_of_the_escaped_form() => Prop.ForAll(Texts, Texts, Texts, static (before, part, behind) =>
        Assert.True(Escape([.. before, .. part, .. behind]).AsSpan().IndexOf(Escape(part)) >= 0)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_filter_rules_out_no_text_that_a_body_contains() => Prop.ForAll(ArbMap.Default.ArbFor<byte[][]>(), Bytes, Bytes, static (others, before, text) =>
    {
        var filter = new GramFilter();
        foreach (var other in others)
        {
            filter.Add(other ?? []);
        }

        filter.Add([.. before, .. text, .. before]);
        var stored = filter.ToBytes();

        Assert.True(GramFilter.IsSize(stored.Length));
        Assert.True(GramFilter.MayHold(stored, GramFilter.HashesOf(text)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_a_reader_of_a_format_throw() => Prop.ForAll(Bytes, Gen.Choose(0, 2000).ToArbitrary(), Gen.Choose(1, 255).ToArbitrary(), static (foreign, at, change) =>
    {
        foreach (var name in (string[])["sealed.idx.v1", "sealed.ndjson.zst.v1", "manifest.v1", "manifest.v2"])
        {
            var golden = Convert.FromHexString(GoldenFile.ReadHex($"log/{name}.hex"));
            var damaged = golden.ToArray();
            damaged[at % damaged.Length] ^= (byte)change;
            foreach (var bytes in (byte[][])[foreign, golden[..(at % golden.Length)], [.. golden, .. foreign], damaged])
            {
                ReadAll(bytes);
            }
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_lines_id_is_read_back() => Prop.ForAll(
        ArbMap.Default.ArbFor<long>(), ArbMap.Default.ArbFor<ulong>(), ArbMap.Default.ArbFor<NonNegativeInt>(), static (time, sequence, index) =>
        {
            var position = new LogPosition(time, $"web.{index.Get}.example", new LogIdentity(new UInt128(sequence, (ulong)index.Get), sequence, index.Get));

            Assert.True(LogPosition.TryParse(position.ToString(), out var read));
            Assert.Equal(position, read);
        }).QuickCheckThrowOnFailure();

    private static void ReadAll(byte[] bytes)
    {
        var isWhole = IndexFormat.Read(bytes, out _, out _) is null;
        isWhole |= LogFooter.Read(bytes.AsSpan(Math.Max(0, bytes.Length - LogFooter.Size)), out var footer) is null;
        Assert.True(!isWhole || footer is not null || bytes.Length >= IndexFormat.HeaderSize);

        var files = new MemoryFileSystem();
        files.CreateDirectory("/logs");
        files.Put("/logs/lines", bytes);
        using var file = files.Open("/logs/lines", writable: false);
        FileSurvey.Run(file, bytes.Length, out var bodyBytes, out _);
        Assert.True(bodyBytes >= 0);
    }

    private static byte[] Escape(byte[] text)
    {
        var escaped = new ByteBuffer();
        JsonText.Append(escaped, text);
        return escaped.Written.ToArray();
    }
}
