using System.Text.Json;

namespace Lm.Agent.Upload;

/// <summary>What a refusal's <c>application/problem+json</c> says (RFC 9457).</summary>
internal static class ProblemDocument
{
    /// <summary>The only type of body whose <c>code</c> is the collector's word: another may be any program's on the way.</summary>
    public const string MediaType = "application/problem+json";

    private const int CodeLengthMax = 64;
    private const int DetailLengthMax = 1000;

    /// <summary>Reads an answer's code and detail; what is no such document gives empty texts.</summary>
    public static (string Code, string Detail) Read(HttpResponse response) => response.IsOf(MediaType) ? Read(response.Body) : ("", "");

    private static (string Code, string Detail) Read(ReadOnlySpan<byte> body)
    {
        var (code, detail) = ("", "");
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 8 });
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                {
                    continue;
                }

                var isCode = reader.ValueTextEquals("code"u8);
                var isDetail = reader.ValueTextEquals("detail"u8);
                if (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    code = isCode ? reader.GetString()! : code;
                    detail = isDetail ? reader.GetString()! : detail;
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return ("", "");
        }

        return (code.Length <= CodeLengthMax ? code : "", detail.Length <= DetailLengthMax ? detail : detail[..DetailLengthMax]);
    }
}
