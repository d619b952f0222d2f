using System.Text;
using Lm.Collector.Query;
using Microsoft.AspNetCore.Http;

namespace Lm.Collector.Tests.Query;

public sealed class JsonOutputTests
{
    [Fact]
    public async Task Whatever_crosses_the_end_of_a_block_is_whole()
    {
        const string expected = """1234.5 -0.25 1767323045.123 [1767323045,"100000000000000000000"] [1767323045.123,"0.5"] 77 "größe" "b" """;
        for (var before = 15_000; before < 16_500; before++)
        {
            var (context, body) = Context();
            var json = new JsonOutput(context.Response);
            json.Raw(new byte[before]);

            json.Number(1234.5);
            json.Raw(" "u8);
            json.Number(-0.25);
            json.Raw(" "u8);
            json.Time(1_767_323_045_123);
            json.Raw(" "u8);
            json.Scalar(1_767_323_045_000, 1e20);
            json.Raw(" "u8);
            json.Sample(1_767_323_045_123, 0.5);
            json.Raw(" "u8);
            json.Number(77);
            json.Raw(" "u8);
            json.Text("größe");
            json.Raw(" "u8);
            json.Utf8Text("b"u8);
            json.Raw(" "u8);
            await json.EndAsync(TestContext.Current.CancellationToken);

            Assert.Equal(expected, Encoding.UTF8.GetString(body.ToArray().AsSpan(before)));
        }
    }

    [Fact]
    public async Task What_is_whole_before_any_of_it_was_sent_goes_with_its_length()
    {
        var (context, body) = Context();
        var json = new JsonOutput(context.Response);
        json.Raw("{}"u8);

        await json.EndAsync(TestContext.Current.CancellationToken);

        Assert.Equal((2, 2), (context.Response.ContentLength, body.Length));
    }

    [Fact]
    public async Task What_was_sent_in_part_has_no_length()
    {
        var (context, _) = Context();
        var json = new JsonOutput(context.Response);
        json.Raw("{"u8);
        await json.FlushAsync(TestContext.Current.CancellationToken);
        json.Raw("}"u8);

        await json.EndAsync(TestContext.Current.CancellationToken);

        Assert.Null(context.Response.ContentLength);
    }

    private static (HttpContext Context, MemoryStream Body) Context()
    {
        var body = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Response.Body = body;
        return (context, body);
    }
}
