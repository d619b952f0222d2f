using System.Globalization;
using System.Text.Json;

namespace Lm.LoadDriver;

/// <summary>Which batches of a crash load the collector holds, as a user sees them: through the query API.</summary>
internal sealed class HeldBatches(Uri query, string token) : IDisposable
{
    private readonly HttpClient http = new() { BaseAddress = query, Timeout = TimeSpan.FromMinutes(2) };

    // Everything: a crash load's clock, or an agent's, may have stood anywhere.
    private const string Window = "[20000d]";
    private const long LateEnough = 3_000_000_000; // in 2065

    /// <summary>Prints every held ID, and tells whether the collector's count of accepted batches agrees for each agent: one that was
    /// taken twice has two batches and, having one time and value, one sample.</summary>
    /// <param name="heartbeats">Of real agents, else of <see cref="CrashLoad"/>.</param>
    /// <param name="isCounted">Whether the counts are looked at.</param>
    /// <param name="output">Gets one ID a line.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<int> DumpAsync(bool heartbeats, bool isCounted, TextWriter output, CancellationToken cancellationToken)
    {
        var held = new Dictionary<string, long>();
        var batches = new HashSet<string>(StringComparer.Ordinal);
        var query = Uri.EscapeDataString((heartbeats ? "lmagent_up" : "fault_seq") + Window);
        using (var answer = await GetAsync($"api/v1/query?query={query}&time={LateEnough}", cancellationToken))
        {
            foreach (var series in answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray())
            {
                var agent = series.GetProperty("metric").GetProperty("instance").GetString()!;
                foreach (var sample in series.GetProperty("values").EnumerateArray())
                {
                    var id = IdOf(agent, sample, heartbeats);
                    batches.Add(id);
                    await output.WriteLineAsync(id.AsMemory(), cancellationToken);
                    held[agent] = held.GetValueOrDefault(agent) + 1;
                }
            }
        }

        var wrong = 0;
        using var agents = await GetAsync("api/v1/agents", cancellationToken);
        foreach (var agent in agents.RootElement.GetProperty("data").GetProperty("agents").EnumerateArray())
        {
            var id = agent.GetProperty("agent_id").GetString()!;
            var accepted = agent.GetProperty("accepted").GetInt64();
            if (isCounted && held.TryGetValue(id, out var count) && count != accepted)
            {
                await Console.Error.WriteLineAsync($"{id}: {count} batches held, {accepted} counted as accepted");
                wrong++;
            }
        }

        wrong += heartbeats ? 0 : await CompareLinesAsync(batches, cancellationToken);
        return wrong == 0 ? 0 : 1;
    }

    /// <summary>Prints every held ID of <see cref="WriteCrashLoad"/>, and tells whether each sample stands at its time and each request is held with all its
    /// series: of each filler there are as many samples as there are requests.</summary>
    /// <param name="output">Gets one ID a line.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<int> DumpWritesAsync(TextWriter output, CancellationToken cancellationToken)
    {
        var (held, wrong) = (new Dictionary<string, long>(), 0);
        using (var answer = await GetAsync($"api/v1/query?query={Uri.EscapeDataString("fault_written" + Window)}&time={LateEnough}", cancellationToken))
        {
            foreach (var (sender, series) in BySender(answer))
            {
                decimal? first = null;
                foreach (var sample in series.GetProperty("values").EnumerateArray())
                {
                    await output.WriteLineAsync(IdOf(sender, sample, isHeartbeat: false).AsMemory(), cancellationToken);
                    held[sender] = held.GetValueOrDefault(sender) + 1;
                    var zero = (sample[0].GetDecimal() * 1000) - decimal.Parse(sample[1].GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture);
                    wrong += zero == (first ??= zero) ? 0 : 1;
                }
            }
        }

        if (wrong > 0)
        {
            await Console.Error.WriteLineAsync($"{wrong} samples of fault_written stand at another time than theirs");
        }

        using var fillers = await GetAsync($"api/v1/query?query={Uri.EscapeDataString($"count_over_time(fault_written_filler{Window})")}&time={LateEnough}", cancellationToken);
        foreach (var (sender, series) in BySender(fillers))
        {
            var count = long.Parse(series.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
            if (count != held.GetValueOrDefault(sender))
            {
                await Console.Error.WriteLineAsync($"{series.GetProperty("metric")}: {count} samples, but {held.GetValueOrDefault(sender)} requests are held");
                wrong++;
            }
        }

        return wrong == 0 ? 0 : 1;
    }

    // Every line of every batch that is held, each once, and no other.
    private async Task<int> CompareLinesAsync(HashSet<string> batches, CancellationToken cancellationToken)
    {
        var missing = new HashSet<string>(
            batches.SelectMany(static batch => Enumerable.Range(0, CrashLoad.LinesPerBatch).Select(number => CrashLoad.LineOf(batch, number))), StringComparer.Ordinal);
        var (found, wrong) = (0L, 0);
        await foreach (var line in LinesAsync(cancellationToken))
        {
            found++;
            if (!missing.Remove(line))
            {
                wrong++;
                await Console.Error.WriteLineAsync($"{line}: held twice, or of a batch that is not held");
            }
        }

        foreach (var line in missing.Take(10))
        {
            await Console.Error.WriteLineAsync($"{line}: not held, though its batch is");
        }

        await Console.Error.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{found} log lines held, {missing.Count} missing, {wrong} too many"));
        return missing.Count + wrong;
    }

    // In pages, which is how a user reads more lines than one answer has.
    private async IAsyncEnumerable<string> LinesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = Uri.EscapeDataString($"{{input=\"{CrashLoad.LogInput}\"}}");
        string? cursor = "";
        while (cursor is not null)
        {
            using var page = await GetAsync(
                $"api/v1/logs?query={query}&start=0&end={LateEnough}&direction=forward&limit=5000&cursor={Uri.EscapeDataString(cursor)}", cancellationToken);
            var data = page.RootElement.GetProperty("data");
            foreach (var line in data.GetProperty("result").EnumerateArray())
            {
                yield return line.GetProperty("line").GetString()!;
            }

            cursor = data.GetProperty("cursor").GetString();
        }
    }

    public void Dispose() => http.Dispose();

    private static IEnumerable<(string Sender, JsonElement Series)> BySender(JsonDocument answer) =>
        answer.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Select(series => (series.GetProperty("metric").GetProperty("instance").GetString()!, series));

    private static string IdOf(string agent, JsonElement sample, bool isHeartbeat) => isHeartbeat
        ? AgentLedger.Id(agent, (long)(sample[0].GetDecimal() * 1000))
        : FaultJournal.Id(agent, ulong.Parse(sample[1].GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture));

    private async Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(request, cancellationToken);
        var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.IsSuccessStatusCode
            ? JsonDocument.Parse(body)
            : throw new LoadException($"{path}: status {(int)answer.StatusCode}: {System.Text.Encoding.UTF8.GetString(body)}");
    }
}
