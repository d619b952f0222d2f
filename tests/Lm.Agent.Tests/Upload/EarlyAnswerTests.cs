using System.Net.Security;
using System.Text;
using Lm.Agent.Upload;
using static Lm.Agent.Tests.Upload.Uploads;

namespace Lm.Agent.Tests.Upload;

/// <summary>Collectors and proxies that answer before they have read the whole request.</summary>
public sealed class EarlyAnswerTests : IDisposable
{
    // More than the sockets' buffers hold: sending cannot end before the other end has read.
    private static readonly byte[] LargeFrame = new byte[32 << 20];

    private readonly TestAuthority authority = new("root");

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task A_refusal_is_heard_while_the_body_still_waits_to_be_taken()
    {
        var heard = new TaskCompletionSource();
        var answer = await SendAsync("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", async (_, stop) => await heard.Task.WaitAsync(stop), heard);

        Assert.Equal(new UploadAnswer.Refused(413, "", "", null), answer);
    }

    [Fact]
    public async Task A_refusal_is_heard_although_the_other_end_closes_right_behind_it()
    {
        var answer = await SendAsync("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", (_, _) => Task.CompletedTask);

        Assert.Equal(new UploadAnswer.Refused(413, "", "", null), answer);
    }

    [Fact]
    public async Task A_refusal_whose_body_is_cut_short_counts_by_its_status()
    {
        var answer = await SendAsync("HTTP/1.1 413 Too Large\r\nContent-Type: application/problem+json\r\nContent-Length: 90\r\n\r\n{\"code\":\"malfor", (_, _) => Task.CompletedTask);

        Assert.Equal(new UploadAnswer.Refused(413, "", "", null), answer);
    }

    [Fact]
    public async Task A_connection_that_is_closed_without_an_answer_is_a_failure_that_passes()
    {
        var answer = await SendAsync("", (_, _) => Task.CompletedTask);

        var failed = Assert.IsType<UploadAnswer.Failed>(answer);
        Assert.False(failed.NeedsPerson);
        Assert.Contains("answer", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_an_early_answer_the_next_request_has_a_connection_of_its_own()
    {
        var first = true;
        using var server = new TlsServer(authority.Issue("localhost"))
        {
            Talk = async (stream, stop) =>
            {
                await ReadHeadAsync(stream, stop);
                var answer = first ? "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"u8.ToArray() : TlsServer.Ok();
                first = false; // before it is sent: the next request may come before the write returns
                await stream.WriteAsync(answer, stop);
                while (await stream.ReadAsync(new byte[8192], stop) > 0)
                {
                    // Drains, as a polite collector does.
                }
            },
        };
        using var client = ClientFor(server.Port, authority.Certificate);

        Assert.IsType<UploadAnswer.Refused>(await Uploads.SendAsync(client, LargeFrame));
        var next = await Uploads.SendAsync(client);

        Assert.True(next is UploadAnswer.Acknowledged, $"{next}");
        Assert.Equal(2, server.ConnectionCount);
    }

    private async Task<UploadAnswer> SendAsync(string answer, Func<SslStream, CancellationToken, Task> then, TaskCompletionSource? heard = null)
    {
        using var server = new TlsServer(authority.Issue("localhost"))
        {
            Talk = async (stream, stop) =>
            {
                await ReadHeadAsync(stream, stop);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), stop);
                await then(stream, stop);
            },
        };
        using var client = ClientFor(server.Port, authority.Certificate);
        var result = await Uploads.SendAsync(client, LargeFrame);
        heard?.SetResult();
        return result;
    }

    private static async Task ReadHeadAsync(SslStream stream, CancellationToken stop)
    {
        var text = "";
        var buffer = new byte[4096];
        while (!text.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            text += Encoding.Latin1.GetString(buffer, 0, await stream.ReadAsync(buffer, stop));
        }
    }
}
