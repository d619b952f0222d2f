namespace Lm.ObjectStore.S3;

/// <summary>Goes on with an answer on a thread of the pool, wherever its bytes came in.</summary>
/// <remarks>A program may let sockets run what waits for their bytes on their own threads (lm-collector does). The S3 client reads the bodies of answers synchronously: on such a thread it would wait
/// for bytes that only this thread can bring, and everything that waits for any socket with it, until the request's time is over. Seen with Ceph's gateway, which sends head and body apart.</remarks>
internal sealed class PoolThreadHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return answer;
    }
}
