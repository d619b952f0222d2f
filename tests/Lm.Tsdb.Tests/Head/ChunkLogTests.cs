using Lm.TestKit;
using Lm.Tsdb.Head;

namespace Lm.Tsdb.Tests.Head;

public sealed class ChunkLogTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_page_is_used_again_unless_a_reader_may_be_at_it(bool isRead)
    {
        var (files, pages) = (new MemoryFileSystem(), new ChunkPages());
        files.CreateDirectory("/head");
        using var log = ChunkLog.Create(files, "/head/log", pages, new WindowIdentity(1, 0, 3_600_000));
        var place = Fill(log, 100);
        log.Write();

        var dropped = log.DropClean(isRead);

        var again = pages.Take();
        Assert.Equal(2 * ChunkPages.PageBytes, dropped);
        Assert.All(again, value => Assert.Equal(0, value));
        again.AsSpan().Fill(0xff);
        var chunk = new ChunkBytes();
        Assert.True(log.TryRead(place, chunk, out _)); // from the file
        Assert.Equal(1, chunk[0][0]);
        Assert.Equal(isRead ? 0 : 1, pages.Count);
    }

    // Chunks of 1500 bytes, the first of ones.
    private static uint Fill(ChunkLog log, int chunks)
    {
        uint first = 0;
        for (var i = 1; i <= chunks; i++)
        {
            var bytes = new byte[1500];
            bytes.AsSpan().Fill((byte)i);
            var place = log.Append(new ChunkRecord { Series = i, Count = 120 }, bytes);
            first = i == 1 ? place : first;
        }

        return first;
    }
}
