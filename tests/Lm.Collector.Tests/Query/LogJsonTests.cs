using System.Text.Json;
using Lm.Collector.Query;
using Microsoft.AspNetCore.Http;

namespace Lm.Collector.Tests.Query;

public sealed class LogJsonTests
{
    [Fact]
    public async Task A_list_of_as_many_as_an_answer_has_is_whole_and_one_more_is_left_out_with_a_warning()
    {
        var whole = await AnswerAsync(LogJson.ListMax);
        var cut = await AnswerAsync(LogJson.ListMax + 1);

        Assert.False(whole.TryGetProperty("warnings", out _));
        Assert.Equal(LogJson.ListMax, whole.GetProperty("data").GetArrayLength());
        Assert.Equal(LogJson.ListMax, cut.GetProperty("data").GetArrayLength());
        Assert.Equal($"value {LogJson.ListMax - 1}", cut.GetProperty("data")[LogJson.ListMax - 1].GetString());
        Assert.Equal(
            "there are 100001, and these are the first 100000 in order, the most that an answer has: narrow the time range or the selector",
            Assert.Single(cut.GetProperty("warnings").EnumerateArray()).GetString());
    }

    private static async Task<JsonElement> AnswerAsync(int count)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Response.Body = body;
        var values = Enumerable.Range(0, count).Select(static i => $"value {i}").ToArray();
        await LogJson.ListAsync(context.Response, values, static (json, value) => json.Text(value), TestContext.Current.CancellationToken);
        body.Position = 0;
        return (await JsonDocument.ParseAsync(body, cancellationToken: TestContext.Current.CancellationToken)).RootElement;
    }
}
