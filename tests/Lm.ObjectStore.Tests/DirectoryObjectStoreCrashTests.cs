using Lm.TestKit;

namespace Lm.ObjectStore.Tests;

/// <summary>The contract in memory, and what becomes of a folder when the machine stops.</summary>
public sealed class DirectoryObjectStoreCrashTests : ObjectStoreContract
{
    private const string Root = "/objects";

    public DirectoryObjectStoreCrashTests() => Store = Over(new MemoryFileSystem());

    internal override IObjectStore Store { get; }

    protected override int StoreRuns => 150;

    [Theory]
    [InlineData(PutCondition.None)]
    [InlineData(PutCondition.IfAbsent)]
    public async Task A_power_cut_at_any_call_leaves_the_object_whole_or_not_there_and_there_when_it_was_answered(PutCondition condition)
    {
        var content = Content(1000, 1);
        for (var at = 0; ; at++)
        {
            var files = new MemoryFileSystem(at) { HaltAt = at };
            var answered = await TryPutAsync(Over(files), "a/b/c", content, condition);

            var after = Over(files.PowerCut(new Random(at)));

            var found = await ReadAsync(after, "a/b/c");
            Assert.True(found is null ? !answered : found.AsSpan().SequenceEqual(content), $"at call {at}");
            Assert.Equal(found is null ? PutOutcome.Stored : PutOutcome.AlreadyThere, await PutAsync(after, "a/b/c", content, PutCondition.IfAbsent));
            Assert.Equal(content, await ReadAsync(after, "a/b/c"));
            if (answered)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_replaced_object_is_the_old_or_the_new_one_whole_after_a_power_cut()
    {
        var (old, next) = (Content(700, 1), Content(900, 2));
        for (var at = 0; ; at++)
        {
            var files = new MemoryFileSystem(at);
            await PutAsync(Over(files), "a", old, PutCondition.None);
            files.HaltAt = files.OperationCount + at;
            var answered = await TryPutAsync(Over(files), "a", next, PutCondition.None);

            var found = await ReadAsync(Over(files.PowerCut(new Random(at))), "a");

            Assert.NotNull(found);
            Assert.True(found.AsSpan().SequenceEqual(next) || (!answered && found.AsSpan().SequenceEqual(old)), $"at call {at}");
            if (answered)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task What_is_told_to_be_there_already_outlives_a_power_cut()
    {
        var files = new MemoryFileSystem(5);
        var content = Content(100, 1);
        files.Fault = operation => operation.Kind == FileOperationKind.SyncDirectory && operation.Path == Root + "/a" ? FileFault.InputOutput : null;
        Assert.False(await TryPutAsync(Over(files), "a/b", content, PutCondition.IfAbsent)); // renamed, the folder not synced
        files.Fault = null;

        Assert.Equal(PutOutcome.AlreadyThere, await PutAsync(Over(files), "a/b", content, PutCondition.IfAbsent));

        for (var seed = 0; seed < 20; seed++)
        {
            Assert.Equal(content, await ReadAsync(Over(files.PowerCut(new Random(seed))), "a/b"));
        }
    }

    [Fact]
    public async Task A_failed_put_says_so_leaves_nothing_and_works_the_next_time()
    {
        var content = Content(1000, 1);
        for (var at = 0; ; at++)
        {
            var files = new MemoryFileSystem(at);
            var store = Over(files);
            files.Fault = operation => operation.Index == at ? FileFault.InputOutput : null;
            var answered = await TryPutAsync(store, "a/b", content, PutCondition.IfAbsent);
            files.Fault = null;
            if (answered)
            {
                return;
            }

            await PutAsync(store, "a/b", content, PutCondition.IfAbsent);
            Assert.Equal(content, await ReadAsync(store, "a/b"));
            Assert.Equal([Root + "/a/b"], files.AllFiles(Root));
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such()
    {
        var counters = new StoreCounters();
        var store = new DirectoryObjectStore(new MemoryFileSystem { Capacity = 100 }, Root, "one", counters);

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => PutAsync(store, "a", Content(1000, 1), PutCondition.None));

        Assert.Equal(ObjectStoreFault.Full, failure.Fault);
        Assert.StartsWith("put a in directory /objects: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, counters.Failures(StoreRequest.Put, ObjectStoreFault.Full));
    }

    [Fact]
    public async Task Two_programs_on_one_folder_do_not_take_each_others_files()
    {
        var files = new MemoryFileSystem();
        var (one, other) = (new DirectoryObjectStore(files, Root, "one", new StoreCounters()), new DirectoryObjectStore(files, Root, "other", new StoreCounters()));
        var contents = Enumerable.Range(0, 16).Select(each => Content(500, each)).ToArray();

        var outcomes = await Task.WhenAll(contents.Select((content, each) => PutAsync(each % 2 == 0 ? one : other, "a", content, PutCondition.IfAbsent)));

        var winner = Assert.Single(Enumerable.Range(0, 16), each => outcomes[each] == PutOutcome.Stored);
        Assert.Equal(contents[winner], await ReadAsync(one, "a"));
        Assert.Equal([Root + "/a"], files.AllFiles(Root));
    }

    [Fact]
    public async Task Folders_without_objects_go()
    {
        var files = new MemoryFileSystem();
        var store = Over(files);
        await PutAsync(store, "a/b/c", [1], PutCondition.None);
        await PutAsync(store, "a/d", [1], PutCondition.None);

        await store.DeleteAsync("a/b/c", TestContext.Current.CancellationToken);

        Assert.False(files.Exists(Root + "/a/b"));
        Assert.True(files.Exists(Root + "/a/d"));
    }

    private static DirectoryObjectStore Over(MemoryFileSystem files) => new(files, Root, "one", new StoreCounters());

    private static byte[] Content(int size, int seed)
    {
        var content = new byte[size];
        new Random(seed).NextBytes(content);
        return content;
    }

    private static Task<PutOutcome> PutAsync(DirectoryObjectStore store, string key, byte[] content, PutCondition condition) =>
        store.PutAsync(key, ObjectContent.Of(content), condition, TestContext.Current.CancellationToken);

    private static async Task<bool> TryPutAsync(DirectoryObjectStore store, string key, byte[] content, PutCondition condition)
    {
        try
        {
            await PutAsync(store, key, content, condition);
            return true;
        }
        catch (ObjectStoreException)
        {
            return false;
        }
    }

    private static async Task<byte[]?> ReadAsync(DirectoryObjectStore store, string key)
    {
        var buffer = new byte[2000];
        var range = await store.ReadAsync(key, 0, buffer, TestContext.Current.CancellationToken);
        return range is { } found ? buffer[..found.Count] : null;
    }
}
