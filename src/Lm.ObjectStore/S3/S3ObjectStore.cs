using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Lm.ObjectStore.S3;

/// <summary>Objects in a bucket of S3, or of a server that speaks its protocol.</summary>
/// <remarks>
/// Each try has a time limit, and what may pass is tried again here, so that every try is counted; the client itself tries nothing again.
/// Nothing of the client, nor of who asked, runs on a thread that a socket's bytes came in on.
/// A put with a condition is one request whatever its size: servers are known that ignore the condition at the end of a put in parts.
/// </remarks>
public sealed class S3ObjectStore : IObjectStore
{
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(5);

    private readonly S3Options options;
    private readonly StoreCounters counters;
    private readonly TimeProvider time;
    private readonly RetryPolicy retries;
    private readonly S3Connections connections;
    private readonly AmazonS3Client client;
    private readonly S3PartUpload parts;

    /// <summary>Prepares the client; nothing is asked yet.</summary>
    public S3ObjectStore(S3Options options, StoreCounters counters, TimeProvider time, Random random)
    {
        (this.options, this.counters, this.time) = (options, counters, time);
        retries = new RetryPolicy(RetryFirst, RetryMax, random);
        connections = new S3Connections(options.TrustedRoots);
        client = Connect(options, connections);
        parts = new S3PartUpload(client, options, this);
    }

    /// <inheritdoc/>
    public string Description => $"bucket {options.Bucket} at {options.Endpoint?.ToString() ?? $"AWS {options.Region}"}";

    /// <inheritdoc/>
    public async Task<PutOutcome> PutAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        if (condition == PutCondition.None && content.Length > options.PartSize)
        {
            await parts.PutAsync(key, content, cancellationToken);
            return PutOutcome.Stored;
        }

        var ask = new S3Ask(StoreRequest.Put, key, content.Length);
        var mayBeThere = false;
        var outcome = await RunAsync(ask, PutOnceMoreAsync, cancellationToken);
        counters.CountSent(outcome == PutOutcome.Stored ? content.Length : 0);
        return outcome;

        // A connection that broke may have brought the object there. And a server that refuses before it has read the body may close the connection while the body
        // is still on its way, each time: its answer is never seen then. Both are told by a look.
        async Task<PutOutcome> PutOnceMoreAsync(CancellationToken token)
        {
            if (mayBeThere && await FindOnceAsync(key, token) is not null)
            {
                return PutOutcome.AlreadyThere;
            }

            mayBeThere = condition == PutCondition.IfAbsent;
            try
            {
                return await PutOnceAsync(key, content, condition, token);
            }
            catch (AmazonServiceException e) when (e.StatusCode != 0)
            {
                mayBeThere = false; // there was an answer
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ObjectRange?> ReadAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var ask = new S3Ask(StoreRequest.Get, key, buffer.Length);
        var range = buffer.IsEmpty ? null : await RunAsync(ask, token => ReadOnceAsync(key, offset, buffer, token), cancellationToken);
        if (range is { Count: >= 0 })
        {
            counters.CountReceived(range.Value.Count);
            return range;
        }

        // No range of it begins there: how long it is, or that there is none, is asked for.
        return range is null && !buffer.IsEmpty ? null : await FindAsync(key, cancellationToken) is { } info ? new ObjectRange(0, info.SizeBytes) : null;
    }

    /// <inheritdoc/>
    public Task<ObjectInfo?> FindAsync(string key, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        return RunAsync(new S3Ask(StoreRequest.Head, key, 0), token => FindOnceAsync(key, token), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectPage> ListAsync(string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, ObjectPage.SizeMax);
        return RunAsync(new S3Ask(StoreRequest.List, prefix, 0), token => ListOnceAsync(prefix, after, limit, token), cancellationToken);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        ObjectKey.Check(key);
        return RunAsync(
            new S3Ask(StoreRequest.Delete, key, 0),
            async token => await client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = options.Bucket, Key = key }, token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        client.Dispose();
        connections.Dispose();
    }

    /// <summary>Makes a request until it succeeds, fails for good, or has failed often enough.</summary>
    internal async Task<T> RunAsync<T>(S3Ask ask, Func<CancellationToken, Task<T>> once, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            counters.Count(ask.Request);
            using var deadline = new CancellationTokenSource(TimeLimit(ask.Bytes), time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            S3Failure failure;
            try
            {
                // To a thread of the pool before and behind: signing reads the whole content, and whoever asked may compute with what came. See PoolThreadHandler.
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                var result = await once(both.Token);
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                return result;
            }
            catch (Exception e) when (e is not ObjectStoreException && !cancellationToken.IsCancellationRequested && S3Failure.Read(e, deadline.IsCancellationRequested) is { } read)
            {
                failure = read;
                counters.CountFailure(ask.Request, failure.Fault);
                if (!failure.Fault.IsPassing() || tries >= options.TriesMax)
                {
                    throw new ObjectStoreException(
                        failure.Fault, $"{StoreCounters.Name(ask.Request)} {ask.Key} in {Description}: {failure.Detail} (try {tries} of {options.TriesMax})", e);
                }
            }
            catch (Exception e) when (cancellationToken.IsCancellationRequested && e is not OperationCanceledException)
            {
                throw new OperationCanceledException("the request was given up", e, cancellationToken);
            }

            await Task.Delay(retries.DelayAfter(tries), time, cancellationToken);
        }
    }

    /// <summary>So many bytes of an object arrived.</summary>
    internal void CountSent(long bytes) => counters.CountSent(bytes);

    private static AmazonS3Client Connect(S3Options options, S3Connections connections)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.ForcePathStyle,
            AuthenticationRegion = options.Region,
            HttpClientFactory = connections,
            MaxErrorRetry = 0,
            ThrottleRetries = false,
            IgnoreConfiguredEndpointUrls = true, // the settings say where, not the environment
            RequestChecksumCalculation = options.SendsChecksums ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = options.SendsChecksums ? ResponseChecksumValidation.WHEN_SUPPORTED : ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }

        return options.Keys is { } keys ? new AmazonS3Client(new CurrentKeys(keys), config) : new AmazonS3Client(config);
    }

    private TimeSpan TimeLimit(long bytes) => options.Timeout + TimeSpan.FromSeconds(bytes / S3Options.BytesPerSecondMin);

    private async Task<PutOutcome> PutOnceAsync(string key, ObjectContent content, PutCondition condition, CancellationToken cancellationToken)
    {
        var request = new PutObjectRequest
        {
            BucketName = options.Bucket,
            Key = key,
            InputStream = new ContentStream(content, 0, content.Length),
            UseChunkEncoding = options.UsesChunkEncoding,
        };
        if (condition == PutCondition.IfAbsent)
        {
            request.IfNoneMatch = "*";
        }

        try
        {
            await client.PutObjectAsync(request, cancellationToken);
            return PutOutcome.Stored;
        }
        catch (AmazonS3Exception e) when (condition == PutCondition.IfAbsent && e.StatusCode == HttpStatusCode.PreconditionFailed)
        {
            return PutOutcome.AlreadyThere;
        }
    }

    // Null: no such object. A count of -1: no range of it begins at the offset.
    private async Task<ObjectRange?> ReadOnceAsync(string key, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = options.Bucket, Key = key, ByteRange = new ByteRange(offset, offset + buffer.Length - 1) };
        try
        {
            using var response = await client.GetObjectAsync(request, cancellationToken);
            if (response.HttpStatusCode != HttpStatusCode.PartialContent && offset > 0)
            {
                throw new ObjectStoreException(ObjectStoreFault.NotSupported, $"get {key} in {Description}: the server gives whole objects where a range was asked for", cause: null);
            }

            var size = SizeOf(response.ContentRange) ?? response.ContentLength;
            var expected = (int)Math.Min(buffer.Length, size - offset);
            var count = await response.ResponseStream.ReadAtLeastAsync(buffer[..expected], expected, throwOnEndOfStream: false, cancellationToken);
            return count == expected
                ? new ObjectRange(count, size)
                : throw new HttpIOException(HttpRequestError.ResponseEnded, $"{count} of {expected} bytes came");
        }
        catch (AmazonS3Exception e) when (e is { StatusCode: HttpStatusCode.NotFound, ErrorCode: "NoSuchKey" })
        {
            return null; // on no other 404: a page of a proxy before the server says nothing of the object
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return new ObjectRange(-1, 0);
        }
    }

    // "bytes 0-99/1234"
    private static long? SizeOf(string? contentRange) =>
        contentRange is not null && long.TryParse(
            contentRange.AsSpan(contentRange.LastIndexOf('/') + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var size)
            ? size
            : null;

    private async Task<ObjectInfo?> FindOnceAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var found = await client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = options.Bucket, Key = key }, cancellationToken);
            return new ObjectInfo(key, found.ContentLength);
        }
        catch (AmazonS3Exception e) when (IsNoKey(e))
        {
            return null;
        }
    }

    // A look has no body that would say what is missing, nor who says so.
    private static bool IsNoKey(AmazonS3Exception failure) => failure.StatusCode == HttpStatusCode.NotFound && failure.ErrorCode != "NoSuchBucket";

    private async Task<ObjectPage> ListOnceAsync(string prefix, string after, int limit, CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = options.Bucket, Prefix = prefix, MaxKeys = limit };
        if (after.Length > 0)
        {
            request.StartAfter = after;
        }

        var answer = await client.ListObjectsV2Async(request, cancellationToken);
        var found = (answer.S3Objects ?? []).Select(static each => new ObjectInfo(each.Key, each.Size ?? 0)).ToArray();
        return new ObjectPage(found, answer.IsTruncated ?? false);
    }
}

/// <summary>What is asked of the server.</summary>
/// <param name="Request">Its kind.</param>
/// <param name="Key">The key, or the prefix of a list.</param>
/// <param name="Bytes">Bytes that it may move.</param>
internal readonly record struct S3Ask(StoreRequest Request, string Key, long Bytes);
