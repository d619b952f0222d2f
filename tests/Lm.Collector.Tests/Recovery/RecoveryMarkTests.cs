using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Recovery;
using Lm.Journal;
using Lm.TestKit;

namespace Lm.Collector.Tests.Recovery;

public sealed class RecoveryMarkTests
{
    private const string Path = "/s/recovery.json";
    private const string Store = "directory /objects fleet-a/raw/c1/";

    private static readonly RawLife Life = new(new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f"), []);

    [Fact]
    public void The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        var files = Files();
        var mark = RecoveryMark.Read(files, Path, Store, out var none);
        Assert.Null(none);
        mark.Sequences = RecoveryMark.Restored;
        mark.Advance(Life, new JournalPosition(2, 4096));
        mark.Advance(Life, new JournalPosition(1, 9000)); // what is behind it already changes nothing
        mark.Write();

        Assert.Equal(GoldenFile.ReadHex("recovery/one-life.v1.hex"), Convert.ToHexStringLower(files.Peek(Path)));
        var read = RecoveryMark.Read(files, Path, Store, out var fault);
        Assert.Null(fault);
        Assert.Equal((RecoveryMark.Restored, new JournalPosition(2, 4096)), (read.Sequences, read.DoneUpTo(Life)));
    }

    [Fact]
    public void That_of_another_store_says_nothing()
    {
        var files = Files();
        var mark = RecoveryMark.Read(files, Path, Store, out _);
        mark.Sequences = RecoveryMark.Restored;
        mark.Write();

        var read = RecoveryMark.Read(files, Path, "another", out var fault);

        Assert.Null(fault);
        Assert.Equal("", read.Sequences);
    }

    [Fact]
    public void No_bytes_make_it_throw_and_a_changed_one_is_noticed()
    {
        var files = Files();
        var mark = RecoveryMark.Read(files, Path, Store, out _);
        mark.Sequences = RecoveryMark.Waiting;
        mark.Advance(Life, new JournalPosition(7, 77));
        mark.Write();
        var whole = files.Peek(Path);
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<int>(), (noise, at) =>
        {
            files.Put(Path, noise);
            Assert.NotNull(FaultOf(files));
            var changed = whole.ToArray();
            changed[(at & int.MaxValue) % changed.Length] ^= 0x10;
            files.Put(Path, changed);
            Assert.NotNull(FaultOf(files));
        }).QuickCheckThrowOnFailure();
    }

    private static string? FaultOf(MemoryFileSystem files)
    {
        var mark = RecoveryMark.Read(files, Path, Store, out var fault);
        Assert.Equal("", mark.Sequences);
        return fault;
    }

    private static MemoryFileSystem Files()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory("/s");
        return files;
    }
}
