using Lm.Platform.Files;
using Lm.TestKit;

namespace Lm.Platform.Tests.Files;

public sealed class AtomicFileTests
{
    private const string Target = "/state/file";
    private static readonly byte[] Old = [.. Enumerable.Repeat((byte)'o', 3000)];
    private static readonly byte[] New = [.. Enumerable.Repeat((byte)'n', 5000)];

    [Fact]
    public void A_missing_file_is_null_and_a_written_one_is_whole()
    {
        var files = Written(null);
        Assert.Null(AtomicFile.Read(files, Target, 10));
        AtomicFile.Write(files, Target, "content"u8);
        Assert.Equal("content"u8.ToArray(), AtomicFile.Read(files, Target, 10));
        Assert.Equal(["file"], files.List("/state"));
    }

    [Fact]
    public void A_file_larger_than_allowed_is_refused()
    {
        var failure = Assert.Throws<FileSystemException>(() => AtomicFile.Read(Written(Old), Target, 2999));
        Assert.Equal(27, failure.Error);
        Assert.Contains("at most 2999", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_power_cut_at_any_call_leaves_the_old_content_or_the_new_one_whole()
    {
        for (var call = 0; call < 8; call++)
        {
            for (var seed = 0; seed < 200; seed++)
            {
                var files = Written(Old);
                var start = files.OperationCount;
                files.HaltAt = start + call;
                var isDone = true;
                try
                {
                    AtomicFile.Write(files, Target, New);
                }
                catch (FileSystemException)
                {
                    isDone = false;
                }

                var after = files.PowerCut(new Random(seed));
                var content = AtomicFile.Read(after, Target, 10_000);
                Assert.True(
                    New.AsSpan().SequenceEqual(content) || (!isDone && Old.AsSpan().SequenceEqual(content)), $"call {call}, seed {seed}");
                AtomicFile.Write(after, Target, New); // the leftover is no obstacle
                Assert.Equal(["file"], after.List("/state"));
            }
        }
    }

    [Fact]
    public void A_failing_call_is_told_and_leaves_the_old_content_or_the_new_one()
    {
        for (var call = 0; call < 6; call++)
        {
            var files = Written(Old);
            var failing = files.OperationCount + call;
            files.Fault = operation => operation.Index == failing ? FileFault.NoSpace : null;
            Assert.True(Assert.Throws<FileSystemException>(() => AtomicFile.Write(files, Target, New)).IsNoSpace);
            files.Fault = null;
            var content = AtomicFile.Read(files, Target, 10_000);
            Assert.True(New.AsSpan().SequenceEqual(content) || Old.AsSpan().SequenceEqual(content), $"call {call}");
        }
    }

    private static MemoryFileSystem Written(byte[]? content)
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/state");
        if (content is not null)
        {
            files.Put(Target, content);
        }

        return files;
    }
}
