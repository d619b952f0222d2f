using Lm.ObjectStore.S3;
using Lm.TestKit;

namespace Lm.ObjectStore.Tests.S3;

/// <summary>The contract on a server in this process, and what the store does when that server fails.</summary>
public sealed class S3ObjectStoreTests : ObjectStoreContract, IAsyncDisposable
{
    private readonly S3Double server = new();
    private readonly StoreCounters counters = new();
    private readonly S3ObjectStore store;

    public S3ObjectStoreTests() => store = S3Stores.Open(S3Stores.Options(server.Endpoint), counters);

    internal override IObjectStore Store => store;

    public async ValueTask DisposeAsync()
    {
        store.Dispose();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(500, "InternalError", ObjectStoreFault.Failed)]
    [InlineData(502, "", ObjectStoreFault.Failed)]
    [InlineData(503, "SlowDown", ObjectStoreFault.Busy)]
    [InlineData(503, "ServiceUnavailable", ObjectStoreFault.Busy)]
    [InlineData(429, "TooManyRequests", ObjectStoreFault.Busy)]
    [InlineData(409, "ConditionalRequestConflict", ObjectStoreFault.Conflict)]
    [InlineData(400, "BadDigest", ObjectStoreFault.Damaged)]
    [InlineData(400, "RequestTimeout", ObjectStoreFault.TimedOut)]
    public async Task What_may_pass_is_tried_again_and_counted(int status, string code, ObjectStoreFault fault)
    {
        FailFirst(2, S3Trouble.Answer(status, code));

        Assert.Equal(PutOutcome.Stored, await store.PutAsync("a", ObjectContent.Of(new byte[10]), PutCondition.IfAbsent, Cancelled));

        Assert.Equal(3, counters.Requests(StoreRequest.Put));
        Assert.Equal(2, counters.Failures(StoreRequest.Put, fault));
        Assert.Equal(10, counters.SentBytes);
    }

    [Fact]
    public async Task What_does_not_pass_ends_after_the_last_try_and_says_what_and_where()
    {
        FailFirst(100, S3Trouble.Answer(503, "SlowDown"));

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => store.FindAsync("a/b", Cancelled));

        Assert.Equal(ObjectStoreFault.Busy, failure.Fault);
        Assert.StartsWith($"head a/b in bucket telemetry at {server.Endpoint}: the server answered 503", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("(try 4 of 4)", failure.Message, StringComparison.Ordinal);
        Assert.Equal(4, counters.Requests(StoreRequest.Head));
    }

    [Theory]
    [InlineData(403, "AccessDenied", ObjectStoreFault.Denied)]
    [InlineData(403, "InvalidAccessKeyId", ObjectStoreFault.Denied)]
    [InlineData(403, "RequestTimeTooSkewed", ObjectStoreFault.Denied)]
    [InlineData(404, "NoSuchBucket", ObjectStoreFault.NoBucket)]
    [InlineData(501, "NotImplemented", ObjectStoreFault.NotSupported)]
    [InlineData(400, "InvalidRequest", ObjectStoreFault.Refused)]
    [InlineData(507, "XMinioStorageFull", ObjectStoreFault.Full)]
    public async Task What_another_try_cannot_mend_ends_at_once(int status, string code, ObjectStoreFault fault)
    {
        FailFirst(100, S3Trouble.Answer(status, code));

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => store.PutAsync("a", ObjectContent.Of(new byte[10]), PutCondition.None, Cancelled));

        Assert.Equal(fault, failure.Fault);
        Assert.Equal(1, counters.Requests(StoreRequest.Put));
    }

    [Theory]
    [InlineData("<html><body>404 page not found</body></html>")]
    [InlineData("404 page not found")]
    [InlineData("")]
    [InlineData("<Error><Code>NoSuchUpload</Code><Message>no</Message></Error>")]
    public async Task A_not_found_that_does_not_say_that_the_key_is_missing_is_a_fault_of_a_read(string page)
    {
        await store.PutAsync("a", ObjectContent.Of(new byte[10]), PutCondition.None, Cancelled);
        server.Trouble = _ => new S3Trouble(S3TroubleKind.Page, 404, page);

        await Assert.ThrowsAsync<ObjectStoreException>(() => store.ReadAsync("a", 0, new byte[10], Cancelled));

        server.Trouble = static _ => S3Trouble.None;
        Assert.Null(await store.ReadAsync("b", 0, new byte[10], Cancelled));
    }

    [Fact]
    public async Task A_put_whose_answer_was_lost_is_found_to_be_there()
    {
        FailFirst(1, new S3Trouble(S3TroubleKind.LostAnswer));

        Assert.Equal(PutOutcome.AlreadyThere, await store.PutAsync("a", ObjectContent.Of(new byte[] { 1, 2, 3 }), PutCondition.IfAbsent, Cancelled));

        var found = new byte[3];
        await store.ReadAsync("a", 0, found, Cancelled);
        Assert.Equal([1, 2, 3], found);
        Assert.Equal(1, counters.Failures(StoreRequest.Put, ObjectStoreFault.Failed));
    }

    [Fact]
    public async Task A_body_that_is_cut_is_read_again_and_never_taken_for_whole()
    {
        var content = new byte[300_000];
        new Random(1).NextBytes(content);
        await store.PutAsync("a", ObjectContent.Of(content), PutCondition.None, Cancelled);
        FailFirst(2, new S3Trouble(S3TroubleKind.Cut));

        var found = new byte[content.Length];
        Assert.Equal(new ObjectRange(content.Length, content.Length), await store.ReadAsync("a", 0, found, Cancelled));

        Assert.Equal(content, found);
        Assert.Equal(3, counters.Requests(StoreRequest.Get));
    }

    [Fact]
    public async Task A_server_that_passes_over_ranges_is_told_as_such_and_never_gives_wrong_bytes()
    {
        await store.PutAsync("a", ObjectContent.Of("0123456789"u8.ToArray()), PutCondition.None, Cancelled);
        server.LacksRanges = true;

        var found = new byte[4];
        Assert.Equal(new ObjectRange(4, 10), await store.ReadAsync("a", 0, found, Cancelled));
        Assert.Equal("0123"u8.ToArray(), found);
        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => store.ReadAsync("a", 2, found, Cancelled));
        Assert.Equal(ObjectStoreFault.NotSupported, failure.Fault);
    }

    [Fact]
    public async Task A_list_that_is_cut_is_asked_for_again()
    {
        await store.PutAsync("a", ObjectContent.Of(new byte[1]), PutCondition.None, Cancelled);
        FailFirst(1, new S3Trouble(S3TroubleKind.Cut));

        Assert.Equal([new ObjectInfo("a", 1)], (await store.ListAsync("", "", 10, Cancelled)).Objects);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_on()
    {
        var time = new ManualTime();
        using var patient = S3Stores.Open(S3Stores.Options(server.Endpoint) with { TriesMax = 1 }, counters, time);
        var asked = new TaskCompletionSource();
        server.Trouble = _ =>
        {
            asked.TrySetResult();
            return new S3Trouble(S3TroubleKind.Silent);
        };

        var finding = patient.FindAsync("a", Cancelled);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(31));

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => finding);
        Assert.Equal(ObjectStoreFault.TimedOut, failure.Fault);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_as_such()
    {
        using var lost = S3Stores.Open(S3Stores.Options(new Uri("http://127.0.0.1:1/")) with { TriesMax = 1 }, counters);

        var failure = await Assert.ThrowsAsync<ObjectStoreException>(() => lost.ListAsync("", "", 1, Cancelled));

        Assert.Equal(ObjectStoreFault.Unreachable, failure.Fault);
        Assert.Contains("Connection refused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_object_goes_in_parts_and_a_part_that_fails_is_sent_again()
    {
        var content = new byte[(11 << 20) + 5];
        new Random(2).NextBytes(content);
        var failed = 0;
        server.Trouble = request =>
            request.RawUrl!.Contains("partNumber=2", StringComparison.Ordinal) && Interlocked.Increment(ref failed) == 1 ? S3Trouble.Answer(500, "InternalError") : S3Trouble.None;

        Assert.Equal(PutOutcome.Stored, await store.PutAsync("a", ObjectContent.Of(content), PutCondition.None, Cancelled));

        var found = new byte[content.Length];
        await store.ReadAsync("a", 0, found, Cancelled);
        Assert.True(found.AsSpan().SequenceEqual(content));
        Assert.Equal(4, server.Requests.Count(each => each.Contains("partNumber", StringComparison.Ordinal)));
        Assert.Equal(content.Length, counters.SentBytes);
    }

    [Fact]
    public async Task A_put_in_parts_that_fails_leaves_no_parts()
    {
        server.Trouble = request => request.RawUrl!.Contains("partNumber=3", StringComparison.Ordinal) ? S3Trouble.Answer(403, "AccessDenied") : S3Trouble.None;

        await Assert.ThrowsAnyAsync<ObjectStoreException>(() => store.PutAsync("a", ObjectContent.Of(new byte[11 << 20]), PutCondition.None, Cancelled));

        Assert.Equal(0, server.UploadsOpen);
        Assert.Null(await store.FindAsync("a", Cancelled));
    }

    [Fact]
    public async Task A_put_with_a_condition_is_one_request_however_large()
    {
        await store.PutAsync("a", ObjectContent.Of(new byte[11 << 20]), PutCondition.IfAbsent, Cancelled);

        Assert.Equal(["PUT /telemetry/a"], server.Requests.Select(each => each.Split('?')[0]));
    }

    [Fact]
    public async Task The_probe_tells_a_server_that_lacks_conditions_from_one_that_overwrites()
    {
        server.LacksConditions = true;
        Assert.Equal(ConditionalPuts.NotSupported, await ConditionalPutProbe.RunAsync(store, "probe", Cancelled));

        (server.LacksConditions, server.Overwrites) = (false, true);
        Assert.Equal(ConditionalPuts.Overwrite, await ConditionalPutProbe.RunAsync(store, "probe", Cancelled));

        server.Overwrites = false;
        FailFirst(1, new S3Trouble(S3TroubleKind.LostAnswer));
        Assert.Equal(ConditionalPuts.Hold, await ConditionalPutProbe.RunAsync(store, "probe", Cancelled));
        Assert.Null(await store.FindAsync("probe", Cancelled));
    }

    [Fact]
    public async Task Keys_are_taken_as_they_are_at_each_request()
    {
        var keys = new S3Keys("first", "secret");
        var signers = new List<string>();
        server.Trouble = request =>
        {
            signers.Add(request.Headers["Authorization"]!.Split("Credential=")[1].Split('/')[0]);
            return S3Trouble.None;
        };
        using var rotating = S3Stores.Open(S3Stores.Options(server.Endpoint) with { Keys = () => keys });
        await rotating.FindAsync("a", Cancelled);

        keys = new S3Keys("second", "secret");
        await rotating.FindAsync("a", Cancelled);

        Assert.Equal(["first", "second"], signers);
    }

    [Fact]
    public void Waits_between_tries_are_random_and_bounded()
    {
        var policy = new RetryPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), new Random(1));

        for (var failures = 1; failures < 100; failures++)
        {
            var bound = Math.Min(100 * Math.Pow(2, failures - 1), 1000);
            Assert.InRange(policy.DelayAfter(failures).TotalMilliseconds, 0, bound);
        }

        Assert.NotEqual(policy.DelayAfter(5), policy.DelayAfter(5));
    }

    private void FailFirst(int count, S3Trouble trouble)
    {
        var left = count;
        server.Trouble = _ => Interlocked.Decrement(ref left) >= 0 ? trouble : S3Trouble.None;
    }
}
