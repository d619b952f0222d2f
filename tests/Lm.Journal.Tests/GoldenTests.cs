using Lm.TestKit;

namespace Lm.Journal.Tests;

/// <summary>The bytes of format version 1 (docs/formats/journal.md): what is on users' disks must stay readable, and stay so written.</summary>
public sealed class GoldenTests
{
    private static readonly Guid Id = new("4c4d0102-0304-4506-8708-090a0b0c0d0e");
    private static readonly string[] Names = ["0000000000.seg", "0000000001.seg", "journal.id"];
    private static readonly JournalOptions Options = new() { SegmentSizeMax = 120, Preamble = () => "state"u8.ToArray() };

    [Fact]
    public async Task The_golden_journal_is_read()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Texts.Directory);
        foreach (var name in Names)
        {
            files.Put(Path.Combine(Texts.Directory, name), Golden(name));
        }

        Assert.Equal(
            ["preamble:state", "first record", "second record", "preamble:state", "third record", "4"],
            JournalReader.ReadDirectory(files, Texts.Directory).Read());
        await using var journal = Texts.Open(files, Options);
        Assert.Equal(Id, journal.Id);
        Assert.Equal(0, journal.Recovery.TornBytes);
        Assert.Empty(journal.Recovery.Damage);
        Assert.Equal(["preamble:state", "first record", "second record", "preamble:state", "third record", "4"], journal.Read().Read());
        Assert.Equal([new JournalSegment(0, 114), new JournalSegment(1, 102)], journal.Segments);
    }

    [Fact]
    public async Task The_golden_journal_with_zeros_ahead_is_the_same_journal()
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Texts.Directory);
        foreach (var name in Names)
        {
            files.Put(Path.Combine(Texts.Directory, name), name == Names[1] ? [.. Golden(name), .. new byte[4096]] : Golden(name));
        }

        await using var journal = Texts.Open(files, Options);
        Assert.Equal(0, journal.Recovery.TornBytes);
        Assert.Equal(["preamble:state", "first record", "second record", "preamble:state", "third record", "4"], journal.Read().Read());
        Assert.Equal(Golden(Names[1]), files.Peek(Path.Combine(Texts.Directory, Names[1])));
    }

    [Fact]
    public async Task The_same_appends_write_the_same_bytes()
    {
        var files = new MemoryFileSystem();
        await using (var journal = Journal.Open(files, Texts.Directory, Options, Id))
        {
            await journal.AppendAllAsync("first record", "second record", "third record", "4");
        }

        Assert.Equal(Names, files.List(Texts.Directory));
        Assert.All(Names, name => Assert.Equal(Golden(name), files.Peek(Path.Combine(Texts.Directory, name))));
    }

    private static byte[] Golden(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "golden", "journal", name));
}
