using System.Buffers.Binary;
using Lm.Platform;
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
    [InlineData(2)]
    [InlineData(3)]
    public void Chunks_of_native_histograms_have_no_sample_and_no_merge_drops_them(byte encoding)
    {
        var files = NewBlock();
        var path = PathOf("chunks/000001");
        var content = files.Peek(path).ToArray();
        var (length, at) = (0, 8); // the first chunk: its data's length, its encoding, its data, a checksum of the two
        for (var shift = 0; ; shift += 7)
        {
            length |= (content[at] & 0x7f) << shift;
            if ((content[at++] & 0x80) == 0)
            {
                break;
            }
        }

        content[at] = encoding;
        BinaryPrimitives.WriteUInt32BigEndian(content.AsSpan(at + 1 + length), Crc32C.Compute(content.AsSpan(at, 1 + length)));
        files.Put(path, content);

        using var set = BlockSet.Open(files, Directory, TimeProvider.System);
        using var blocks = set.Take(long.MinValue, long.MaxValue);
        var block = Assert.Single(blocks.Blocks);

        Assert.InRange(TestData.Read(block, TestData.Everything).SampleCount, Written.SampleCount - 130, Written.SampleCount - 1);
        Assert.Throws<BlockDamageException>(() => block.ReadChunk(8, new SampleBuffer()));
    }

    // What a checksum cannot notice: another writer's fault. Nothing is said of the answer; it must come, or a named error.
    [Fact]
    public void A_changed_byte_under_a_matching_checksum_is_a_named_error_or_an_answer()
    {
        var files = NewBlock();
        var path = PathOf("index");
        var content = files.Peek(path);
        var (answers, errors) = (0, 0);
        Span<byte> checksum = stackalloc byte[sizeof(uint)];
        foreach (var (start, length) in ChecksummedParts(content))
        {
            for (var at = start; at < start + length; at++)
            {
                foreach (var value in (byte[])[0, 1, 0x7f, 0x80, 0xff, (byte)(content[at] + 1)])
                {
                    var changed = content.AsSpan().ToArray();
                    changed[at] = value;
                    BinaryPrimitives.WriteUInt32BigEndian(checksum, Crc32C.Compute(changed.AsSpan(start, length)));
                    files.Corrupt(path, at, value);
                    files.Corrupt(path, start + length, checksum);
                    _ = AskAnything(files) ? answers++ : errors++;
                }

                files.Corrupt(path, at, content[at]);
            }

            files.Corrupt(path, start + length, content.AsSpan(start + length, sizeof(uint)));
        }

        Assert.True(answers > 100 && errors > 100, $"{answers} answers, {errors} errors");
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

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../index")]
    [InlineData("chunks/../../x")]
    [InlineData("chunks//000001")]
    [InlineData("")]
    public void A_file_outside_of_the_blocks_folder_is_a_named_error(string path)
    {
        var text = System.Text.Encoding.UTF8.GetString(NewBlock().Peek(PathOf("meta.json")));
        var changed = text.Replace("\"rel_path\": \"index\"", $"\"rel_path\": \"{path}\"", StringComparison.Ordinal);
        Assert.NotEqual(text, changed);

        var damage = Assert.Throws<BlockDamageException>(() => BlockMeta.Parse("meta.json", System.Text.Encoding.UTF8.GetBytes(changed)));

        Assert.Contains("rel_path", damage.Message, StringComparison.Ordinal);
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

    private static bool AskAnything(MemoryFileSystem files)
    {
        try
        {
            using var block = BlockReader.Open(files, Path.Combine(Directory, new Ulid(1).ToString()), Cache);
            foreach (var matchers in Questions)
            {
                using var found = block.Find(matchers, 5, 50_000, CancellationToken.None);
                for (var i = 0; i < found.Count; i++)
                {
                    found.Read(i, 5, 50_000, new SampleBuffer());
                    _ = found.Labels(i);
                }
            }

            _ = block.LabelValues("host", [], 0, 1, CancellationToken.None);
            return true;
        }
        catch (BlockDamageException damage)
        {
            Assert.StartsWith(Directory, damage.Path, StringComparison.Ordinal);
            return false;
        }
    }

    // Offset and length of all that has a checksum behind it, by the format's description.
    private static List<(int Start, int Length)> ChecksummedParts(byte[] index)
    {
        int Number(int at) => (int)BinaryPrimitives.ReadUInt32BigEndian(index.AsSpan(at));
        var toc = index.Length - 52;
        int Section(int number) => (int)BinaryPrimitives.ReadUInt64BigEndian(index.AsSpan(toc + (number * 8)));
        var parts = new List<(int Start, int Length)> { (toc, 48), (Section(0) + 4, Number(Section(0))), (Section(5) + 4, Number(Section(5))) };
        for (var at = Section(4); at < Section(3); at = parts[^1].Start + parts[^1].Length + 4)
        {
            parts.Add((at + 4, Number(at)));
        }

        for (var at = Section(1); at < Section(2); at = (parts[^1].Start + parts[^1].Length + 4 + 15) / 16 * 16)
        {
            parts.Add((at + 1, index[at])); // series of this test are shorter than 128 bytes
        }

        return parts;
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
