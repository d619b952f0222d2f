using FsCheck;
using FsCheck.Fluent;

namespace Lm.ObjectStore.Tests;

/// <summary>What every store promises. Each kind of store runs all of it.</summary>
public abstract class ObjectStoreContract
{
    private readonly string folder = "contract/" + Guid.NewGuid().ToString("N") + "/";

    internal abstract IObjectStore Store { get; }

    /// <summary>Names that keys are made of.</summary>
    protected virtual string[] Names => ["a", "b", "a.b", "a-b", "a0", "A", "date=2026-01-02", "00000001", "z_"];

    /// <summary>Runs of a property that writes to the store.</summary>
    protected virtual int StoreRuns => 25;

    internal static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_put_is_read_found_and_listed()
    {
        var key = folder + "raw/one/0000000001.lmf";

        Assert.Equal(PutOutcome.Stored, await PutAsync(key, "content"u8.ToArray()));

        Assert.Equal("content"u8.ToArray(), await ReadAllAsync(key));
        Assert.Equal(new ObjectInfo(key, 7), await Store.FindAsync(key, Cancelled));
        Assert.Equal([new ObjectInfo(key, 7)], (await Store.ListAsync(folder, "", 10, Cancelled)).Objects);
    }

    [Fact]
    public async Task An_object_that_is_not_there_is_told_as_such()
    {
        var key = folder + "none";

        Assert.Null(await Store.FindAsync(key, Cancelled));
        Assert.Null(await Store.ReadAsync(key, 0, new byte[10], Cancelled));
        Assert.Null(await Store.ReadAsync(key, 0, Memory<byte>.Empty, Cancelled));
        await Store.DeleteAsync(key, Cancelled);
        var page = await Store.ListAsync(folder, "", 10, Cancelled);
        Assert.Empty(page.Objects);
        Assert.False(page.HasMore);
    }

    [Fact]
    public async Task A_put_of_a_free_key_alone_leaves_what_is_there()
    {
        var key = folder + "a";
        Assert.Equal(PutOutcome.Stored, await PutAsync(key, "first"u8.ToArray(), PutCondition.IfAbsent));

        Assert.Equal(PutOutcome.AlreadyThere, await PutAsync(key, "second"u8.ToArray(), PutCondition.IfAbsent));

        Assert.Equal("first"u8.ToArray(), await ReadAllAsync(key));
    }

    [Fact]
    public async Task A_put_without_condition_replaces_what_is_there()
    {
        var key = folder + "a";
        await PutAsync(key, "first, and longer"u8.ToArray());

        Assert.Equal(PutOutcome.Stored, await PutAsync(key, "second"u8.ToArray()));

        Assert.Equal("second"u8.ToArray(), await ReadAllAsync(key));
    }

    [Fact]
    public async Task Of_many_that_put_a_free_key_one_succeeds()
    {
        for (var round = 0; round < 5; round++)
        {
            var key = $"{folder}race/{round}";
            var contents = Enumerable.Range(0, 8).Select(each => new byte[] { (byte)each, (byte)round }).ToArray();

            var outcomes = await Task.WhenAll(contents.Select(content => PutAsync(key, content, PutCondition.IfAbsent)));

            var winner = Assert.Single(Enumerable.Range(0, outcomes.Length), each => outcomes[each] == PutOutcome.Stored);
            Assert.Equal(contents[winner], await ReadAllAsync(key));
        }
    }

    [Fact]
    public async Task A_deleted_object_is_gone_and_its_key_is_free()
    {
        var key = folder + "deep/er/a";
        await PutAsync(key, [1]);
        await PutAsync(folder + "deep/b", [2]);

        await Store.DeleteAsync(key, Cancelled);

        Assert.Null(await Store.FindAsync(key, Cancelled));
        Assert.Equal([folder + "deep/b"], await ListAllAsync(folder, 10));
        Assert.Equal(PutOutcome.Stored, await PutAsync(key, [3], PutCondition.IfAbsent));
    }

    [Fact]
    public async Task An_empty_object_is_an_object()
    {
        var key = folder + "empty";
        await PutAsync(key, []);

        Assert.Equal(new ObjectInfo(key, 0), await Store.FindAsync(key, Cancelled));
        Assert.Equal(new ObjectRange(0, 0), await Store.ReadAsync(key, 0, new byte[10], Cancelled));
    }

    [Fact]
    public async Task Any_range_of_an_object_is_what_was_put_there()
    {
        var key = folder + "ranges";
        var content = new byte[5000];
        new Random(7).NextBytes(content);
        await PutAsync(key, content);

        Prop.ForAll(
            Gen.Choose(0, 5100).SelectMany(offset => Gen.Choose(0, 5100).Select(size => (offset, size))).ToArbitrary(),
            range =>
            {
                var buffer = new byte[range.size];
                var read = Store.ReadAsync(key, range.offset, buffer, Cancelled).GetAwaiter().GetResult();
                var count = Math.Clamp(content.Length - range.offset, 0, range.size);
                return read == new ObjectRange(count, content.Length)
                    && (count == 0 || buffer.AsSpan(0, count).SequenceEqual(content.AsSpan(range.offset, count)));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    [Fact]
    public void Lists_give_every_key_with_the_prefix_once_in_order_whatever_the_page()
    {
        var run = 0;
        var name = Gen.Elements(Names);
        var path = Gen.NonEmptyListOf(name).Select(parts => string.Join('/', parts.Take(3)));
        var cases = Gen.Choose(0, 12).SelectMany(count => Gen.ListOf(path, count)).SelectMany(paths => Gen.Choose(1, 5).SelectMany(page => path.SelectMany(
            prefix => Gen.Choose(0, 6).Select(cut => (Paths: Usable(paths), Page: page, Prefix: prefix[..Math.Min(cut, prefix.Length)])))));
        Prop.ForAll(
            cases.ToArbitrary(),
            given =>
            {
                var root = $"{folder}{run++}/";
                Task.WhenAll(given.Paths.Select(each => PutAsync(root + each, [1]))).GetAwaiter().GetResult();
                var expected = given.Paths.Where(each => each.StartsWith(given.Prefix, StringComparison.Ordinal)).Select(each => root + each).Order(StringComparer.Ordinal);
                return ListAllAsync(root + given.Prefix, given.Page).GetAwaiter().GetResult().SequenceEqual(expected);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(StoreRuns));
    }

    [Fact]
    public async Task A_list_begins_behind_the_key_that_it_is_given_whether_there_is_one_or_not()
    {
        foreach (var name in (string[])["a", "b/1", "b/2", "c"])
        {
            await PutAsync(folder + name, [1]);
        }

        async Task<string[]> After(string name) => [.. (await Store.ListAsync(folder, folder + name, 10, Cancelled)).Objects.Select(each => each.Key[folder.Length..])];
        Assert.Equal(["b/1", "b/2", "c"], await After("a"));
        Assert.Equal(["b/2", "c"], await After("b/1"));
        Assert.Equal(["c"], await After("b/7"));
        Assert.Equal(["b/1", "b/2", "c"], await After("aa"));
        Assert.Empty(await After("c"));
    }

    [Fact]
    public async Task A_large_object_comes_back_as_it_was_put()
    {
        var key = folder + "large";
        var content = new byte[(12 << 20) + 12_345];
        new Random(3).NextBytes(content);

        await PutAsync(key, content);

        Assert.Equal(content.Length, (await Store.FindAsync(key, Cancelled))!.SizeBytes);
        Assert.True((await ReadAllAsync(key)).AsSpan().SequenceEqual(content));
        Assert.Equal(PutOutcome.AlreadyThere, await PutAsync(key, content, PutCondition.IfAbsent));
    }

    [Fact]
    public async Task The_probe_finds_that_conditional_puts_hold()
    {
        Assert.Equal(ConditionalPuts.Hold, await ConditionalPutProbe.RunAsync(Store, folder + "probe", Cancelled));
        Assert.Null(await Store.FindAsync(folder + "probe", Cancelled));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("a/../b")]
    [InlineData("a/.hidden")]
    [InlineData("a b")]
    [InlineData("ä")]
    public async Task A_key_that_is_no_path_everywhere_is_refused(string key)
    {
        await Assert.ThrowsAsync<ArgumentException>(() => PutAsync(key, [1]));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.ReadAsync(key, 0, new byte[1], Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.FindAsync(key, Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.DeleteAsync(key, Cancelled));
    }

    [Fact]
    public async Task What_is_cancelled_ends_as_cancelled()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.PutAsync(folder + "a", ObjectContent.Of(new byte[1]), PutCondition.None, gone.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.ListAsync(folder, "", 1, gone.Token));
    }

    // A folder is no object beside being a folder: of "a" and "a/b" a directory holds one. The product's keys are laid out so.
    private static string[] Usable(IEnumerable<string> paths)
    {
        var kept = new List<string>();
        foreach (var path in paths.Distinct())
        {
            if (!kept.Exists(other => other.StartsWith(path + "/", StringComparison.Ordinal) || path.StartsWith(other + "/", StringComparison.Ordinal)))
            {
                kept.Add(path);
            }
        }

        return [.. kept];
    }

    private Task<PutOutcome> PutAsync(string key, byte[] content, PutCondition condition = PutCondition.None) =>
        Store.PutAsync(key, ObjectContent.Of(content), condition, Cancelled);

    private async Task<byte[]> ReadAllAsync(string key)
    {
        var content = new byte[(await Store.FindAsync(key, Cancelled))!.SizeBytes];
        Assert.Equal(new ObjectRange(content.Length, content.Length), await Store.ReadAsync(key, 0, content, Cancelled));
        return content;
    }

    private async Task<string[]> ListAllAsync(string prefix, int pageSize)
    {
        var found = new List<string>();
        for (var hasMore = true; hasMore;)
        {
            var page = await Store.ListAsync(prefix, found.LastOrDefault(""), pageSize, Cancelled);
            Assert.True(page.Objects.Count <= pageSize);
            found.AddRange(page.Objects.Select(each => each.Key));
            hasMore = page.HasMore;
        }

        return [.. found];
    }
}
