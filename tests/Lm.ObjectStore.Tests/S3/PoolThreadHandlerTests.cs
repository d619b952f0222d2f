using Lm.ObjectStore.S3;

namespace Lm.ObjectStore.Tests.S3;

public sealed class PoolThreadHandlerTests
{
    [Fact]
    public async Task What_waits_for_an_answer_does_not_go_on_on_the_thread_that_brought_it()
    {
        using var client = new HttpMessageInvoker(new PoolThreadHandler(new OwnThreadHandler()));
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/");
        Thread? wentOnOn = null;

        var sending = client.SendAsync(request, TestContext.Current.CancellationToken);
        var next = sending.ContinueWith(_ => wentOnOn = Thread.CurrentThread, TestContext.Current.CancellationToken, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        using var answer = await sending;
        await next;

        Assert.True(wentOnOn!.IsThreadPoolThread);
    }

    // Answers as a socket does whose bytes wake what waits for them: on a thread of its own.
    private sealed class OwnThreadHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = new TaskCompletionSource<HttpResponseMessage>();
            new Thread(() => answer.SetResult(new HttpResponseMessage())).Start();
            return answer.Task;
        }
    }
}
