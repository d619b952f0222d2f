using System.Text;

using Lm.Platform.Files;

namespace Lm.Journal.Tests;

/// <summary>The journal on the real file system: the same code as in production, end to end.</summary>
public sealed class RealDiskTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), "lm-journal-" + Guid.NewGuid().ToString("N"));

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Appended_records_are_there_after_reopening()
    {
        var files = new PhysicalFileSystem();
        var options = new JournalOptions { SegmentSizeMax = 4096, Preamble = () => "state"u8.ToArray() };
        Guid id;
        await using (var journal = Journal.Open(files, directory, options))
        {
            id = journal.Id;
            for (var i = 0; i < 100; i++)
            {
                await journal.AppendAsync(Encoding.ASCII.GetBytes($"{i};"), new byte[i * 3], null, CancellationToken.None);
            }

            Assert.Equal(journal.SizeBytes, new DirectoryInfo(directory).GetFiles("*.seg").Sum(file => file.Length));
        }

        await using var reopened = Journal.Open(files, directory, options);
        Assert.Equal(id, reopened.Id);
        Assert.Equal(0, reopened.Recovery.TornBytes);
        Assert.Empty(reopened.Recovery.Damage);
        var records = reopened.Read().Where(record => !record.IsPreamble).Select(record => record.Payload.ToArray()).ToList();
        Assert.Equal(100, records.Count);
        Assert.All(Enumerable.Range(0, 100), i => Assert.Equal($"{i};".Length + (i * 3), records[i].Length));
        Assert.Equal(reopened.Segments.Count, reopened.Read().Count(record => record.IsPreamble));
        Assert.True(reopened.Segments.Count > 3);
    }
}
