using System.Text.Json;
using Lm.Protocol;
using Microsoft.AspNetCore.Http;

namespace Lm.Collector.Tests.Ingest;

public sealed class IngestRateTests
{
    [Fact]
    public async Task A_request_for_which_there_is_no_memory_is_429_with_retry_after_and_taken_once_there_is()
    {
        await using var rig = new IngestRig { MemoryMax = 10 };
        var body = rig.Frame(1);

        var refused = await SendAsync(rig, body);

        Assert.Equal((429, "1"), (refused.Response.StatusCode, refused.Response.Headers.RetryAfter.ToString()));
        using var problem = JsonDocument.Parse(BodyOf(refused));
        Assert.Equal(ProblemCode.Rate, problem.RootElement.GetProperty("code").GetString());
        Assert.Equal(0, rig.Budget.Taken);
        Assert.Empty(rig.Ledger.Snapshot());

        rig.MemoryMax = 1 << 20; // as a reload of larger limits does it
        var taken = await SendAsync(rig, body);

        Assert.Equal(200, taken.Response.StatusCode);
        Assert.True(IngestAck.TryDecode(BodyOf(taken), out var ack));
        Assert.Equal(FrameOutcome.Accepted, Assert.Single(ack.Frames).Outcome);
    }

    [Fact]
    public async Task A_batch_for_whose_payload_there_is_no_memory_is_429_and_leaves_nothing_behind()
    {
        await using var rig = new IngestRig { MemoryMax = 10 };

        var ack = await rig.SendAsync(1);

        Assert.Equal((429, ProblemCode.Rate), (ack.Status, ack.Code));
        Assert.Equal(0, rig.Budget.Taken);
        rig.MemoryMax = 1 << 20;
        Assert.Equal(FrameOutcome.Accepted, (await rig.SendAsync(1)).Outcome);
    }

    private static async Task<DefaultHttpContext> SendAsync(IngestRig rig, byte[] body)
    {
        var context = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        var request = context.Request;
        (request.Method, request.Path, request.ContentType) = ("POST", BatchHeaders.Path, IngestAck.MediaType);
        (request.Body, request.ContentLength) = (new MemoryStream(body), body.Length);
        request.Headers.Authorization = "Bearer token-of-a1";
        request.Headers[BatchHeaders.Agent] = "a1";
        request.Headers[BatchHeaders.SeqStart] = request.Headers[BatchHeaders.SeqEnd] = "1";
        await rig.Endpoint.HandleAsync(context);
        return context;
    }

    private static byte[] BodyOf(HttpContext context) => ((MemoryStream)context.Response.Body).ToArray();
}
