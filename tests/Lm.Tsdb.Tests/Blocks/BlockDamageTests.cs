using Lm.Platform.Files;
using Lm.TestKit;
using Lm.Tsdb.Blocks;
using Lm.Tsdb.Index;

namespace Lm.Tsdb.Tests.Blocks;

/// <summary>Bit rot: each byte of a block's files changed, and each file cut, one at a time.</summary>
public sealed class BlockDamageTests
{
    private const string Directory = "/blocks";

    private static readonly LabelMatcher[][] Questions =
    [
        [],
        [LabelMatcher.Equal("host", "h1")],
        [TestData.Matcher("host", MatchKind.Regex, "h.*")],
        [TestData.Matcher("host", MatchKind.NotEqual, "h1"), TestData.Matcher("é", MatchKind.Regex, "|x")],
    ];

    private static readonly LabelCache Cache = new(); // megabytes, and thousands of blocks are opened

    private static readonly Series Written = new(Enumerable.Range(0, 4).Select(host => (
        host == 3 ? new LabelSet(new Label("é", "日本")) : new LabelSet(new Label("__name__", "m"), new Label("host", $"h{host}")),
        Enumerable.Range(0, 130).Select(i => (i * 1000L, i % 5 / 3.0)).ToArray())));

    [Theory]
    [InlineData("index")]
    [InlineData("chunks/000001")]
    [InlineData("meta.json")]
    public void A_changed_byte_is_a_named_error_or_changes_no_answer(string file)
    {
        var files = NewBlock();
        var content = files.Peek(PathOf(file));
        var errors = 0;
        for (var at = 0; at < content.Length; at++)
        {
            foreach (var flip in (byte[])[0x01, 0x80, 0xff])
            {
                files.Corrupt(PathOf(file), at, (byte)(content[at] ^ flip));
                errors += Ask(files, file, $"byte {at} changed by {flip:x2}") ? 0 : 1;
            }

            files.Corrupt(PathOf(file), at, content[at]);
        }

        Assert.True(errors > content.Length, $"only {errors} of {content.Length * 3} changes were noticed");
    }

    [Theory]
    [InlineData("index")]
    [InlineData("chunks/000001")]
    [InlineData("meta.json")]
    public void A_cut_file_is_a_named_error(string file)
    {
        var files = NewBlock();
        for (var left = files.Peek(PathOf(file)).Length - 2; left >= 0; left--)
        {
            using (var handle = files.Open(PathOf(file), writable: true))
            {
                handle.Truncate(left);
            }

            Assert.False(Ask(files, file, $"cut to {left} bytes"));
        }
    }

    [Fact]
    public void A_missing_file_is_a_named_error()
    {
        foreach (var file in (string[])["index", "chunks/000001", "meta.json"])
        {
            var files = NewBlock();
            files.Delete(PathOf(file));
            Assert.False(Ask(files, file, $"{file} deleted"));
        }
    }

    // False for a named error; fails on any other exception and on any other answer. Damage of meta.json may change what it says.
    private static bool Ask(MemoryFileSystem files, string file, string what)
    {
        try
        {
            using var block = BlockReader.Open(files, Path.Combine(Directory, new Ulid(1).ToString()), Cache);
            foreach (var matchers in Questions)
            {
                bool IsWanted(LabelSet labels) => matchers.All(matcher => matcher.Matches(labels.ValueOf(matcher.Name)));
                var found = TestData.Read(block, matchers);
                Assert.True(file == "meta.json" || found.SameAs(Written.Where(IsWanted)), $"{file}, {what}: another answer:\n{found.Describe()}");
            }

            Assert.True(block.LabelNames([], 0, 1, CancellationToken.None).SequenceEqual(["__name__", "host", "é"]) || file == "meta.json");
            return true;
        }
        catch (BlockDamageException damage)
        {
            Assert.StartsWith(Directory, damage.Path, StringComparison.Ordinal);
            return false;
        }
        catch (FileSystemException failure)
        {
            Assert.True(failure.IsNotFound, failure.Message);
            return false;
        }
    }

    private static string PathOf(string file) => $"{Directory}/{new Ulid(1)}/{file}";

    private static MemoryFileSystem NewBlock()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Directory);
        TestData.Write(files, Directory, new Ulid(1), Written);
        return files;
    }
}
