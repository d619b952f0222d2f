using Amazon.S3;
using Amazon.S3.Model;

namespace Lm.ObjectStore.S3;

/// <summary>Puts a large object in parts, some at a time: a part that fails is sent again, not all of it.</summary>
/// <remarks>The object appears when the last request has been answered. An upload that fails is aborted, so that its parts cost nothing; where that fails too, a rule of the bucket that
/// deletes incomplete uploads has to.</remarks>
internal sealed class S3PartUpload(AmazonS3Client client, S3Options options, S3ObjectStore store)
{
    private const int AtOnce = 3;
    private const int PartsMax = 10_000;
    private const long PartUnit = 1L << 20;

    public async Task PutAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        var started = await store.RunAsync(
            new S3Ask(StoreRequest.Put, key, 0),
            token => client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = options.Bucket, Key = key }, token),
            cancellationToken);
        try
        {
            var tags = await SendAsync(key, started.UploadId, content, cancellationToken);
            var request = new CompleteMultipartUploadRequest { BucketName = options.Bucket, Key = key, UploadId = started.UploadId, PartETags = [.. tags] };
            await store.RunAsync(new S3Ask(StoreRequest.Put, key, 0), token => client.CompleteMultipartUploadAsync(request, token), cancellationToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            await TryAbortAsync(key, started.UploadId);
            throw;
        }
    }

    private async Task<PartETag[]> SendAsync(string key, string upload, ObjectContent content, CancellationToken cancellationToken)
    {
        var size = PartSize(content.Length);
        var count = (int)((content.Length + size - 1) / size);
        var tags = new PartETag[count];
        var limits = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, count, limits, async (part, token) => tags[part] = await SendPartAsync(key, upload, content, part, size, token));
        return tags;
    }

    // The server takes 10,000 parts: those of a very long object are longer.
    private long PartSize(long length)
    {
        var least = (length + PartsMax - 1) / PartsMax;
        return Math.Max(options.PartSize, (least + PartUnit - 1) / PartUnit * PartUnit);
    }

    private async Task<PartETag> SendPartAsync(string key, string upload, ObjectContent content, int part, long size, CancellationToken cancellationToken)
    {
        var start = part * size;
        var length = Math.Min(size, content.Length - start);
        var answer = await store.RunAsync(
            new S3Ask(StoreRequest.Put, key, length),
            token => client.UploadPartAsync(
                new UploadPartRequest
                {
                    BucketName = options.Bucket,
                    Key = key,
                    UploadId = upload,
                    PartNumber = part + 1,
                    PartSize = length,
                    InputStream = new ContentStream(content, start, length),
                    UseChunkEncoding = options.UsesChunkEncoding,
                },
                token),
            cancellationToken);
        store.CountSent(length);
        return new PartETag(part + 1, answer.ETag);
    }

    // Not cancelled with the put: this is what cleans up behind it, and it has a time limit of its own.
    private async Task TryAbortAsync(string key, string upload)
    {
        try
        {
            var request = new AbortMultipartUploadRequest { BucketName = options.Bucket, Key = key, UploadId = upload };
            await store.RunAsync(new S3Ask(StoreRequest.Delete, key, 0), token => client.AbortMultipartUploadAsync(request, token), CancellationToken.None);
        }
        catch (ObjectStoreException)
        {
        }
    }
}
