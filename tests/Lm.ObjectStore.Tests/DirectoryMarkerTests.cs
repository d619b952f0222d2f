using Lm.TestKit;

namespace Lm.ObjectStore.Tests;

/// <summary>A folder whose disk is not mounted is noticed before anything is put into the mount point.</summary>
public sealed class DirectoryMarkerTests
{
    private const string Root = "/mnt/objects";

    [Fact]
    public async Task The_first_request_ever_makes_the_folder_and_marks_it()
    {
        var (files, marker) = (new MemoryFileSystem(), new DirectoryMarker());
        var store = Store(files, marker);
        Assert.Null(marker.Known);

        await PutAsync(store);

        Assert.NotNull(marker.Known);
        Assert.Equal([$"{Root}/.lightmetrics-store", $"{Root}/a/b"], files.AllFiles(Root));
        Assert.Equal(["a/b"], (await store.ListAsync("", "", 10, CancellationToken.None)).Objects.Select(static each => each.Key)); // the marker is no object
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_later_start_makes_nothing_where_the_folder_is_missing_or_empty(bool hasMountPoint)
    {
        var (disk, marker) = (new MemoryFileSystem(), new DirectoryMarker());
        await PutAsync(Store(disk, marker));
        var unmounted = new MemoryFileSystem();
        if (hasMountPoint)
        {
            unmounted.CreateDirectory(Root);
        }

        var store = Store(unmounted, new DirectoryMarker { Known = marker.Known });
        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => PutAsync(store));
        Assert.Contains("Is its disk mounted?", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.ListAsync("", "", 10, CancellationToken.None));
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.FindAsync("a/b", CancellationToken.None));
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.DeleteAsync("a/b", CancellationToken.None));
        Assert.Equal(hasMountPoint, unmounted.Exists(Root));
        Assert.Empty(unmounted.AllFiles("/"));
    }

    [Fact]
    public async Task A_disk_that_goes_while_it_is_used_is_noticed_and_works_again_when_it_is_back()
    {
        var (files, marker) = (new MemoryFileSystem(), new DirectoryMarker());
        var store = Store(files, marker);
        await PutAsync(store);
        files.Rename(Root, "/elsewhere");
        await Assert.ThrowsAsync<ObjectStoreException>(() => PutAsync(store));
        files.Rename("/elsewhere", Root);
        await PutAsync(store);
    }

    [Fact]
    public async Task Another_folder_is_refused_and_one_that_was_marked_by_another_program_is_taken_by_who_knows_none()
    {
        var (files, first, second) = (new MemoryFileSystem(), new DirectoryMarker(), new DirectoryMarker());
        await PutAsync(Store(files, first));
        await PutAsync(Store(files, second));
        Assert.Equal(first.Known, second.Known);
        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => PutAsync(Store(files, new DirectoryMarker { Known = Guid.NewGuid() })));
        Assert.Contains("is expected", failure.Message, StringComparison.Ordinal);
    }

    private static DirectoryObjectStore Store(MemoryFileSystem files, DirectoryMarker marker) => new(files, Root, "writer", new StoreCounters(), marker);

    private static Task<PutOutcome> PutAsync(DirectoryObjectStore store) => store.PutAsync("a/b", ObjectContent.Of("text"u8.ToArray()), PutCondition.None, CancellationToken.None);
}
