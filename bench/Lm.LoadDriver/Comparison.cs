using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace Lm.LoadDriver;

/// <summary>The collector and the bare endpoint, given the same frames by turns in one run: what a busy machine does to one it does
/// to the other.</summary>
internal static class Comparison
{
    public static async Task<double> RunAsync(Arguments arguments, CancellationToken stopping)
    {
        var address = new Uri(arguments.Required("url"));
        var count = arguments.Number("agents", 16, 1, 1000);
        var batches = arguments.Number("batches", 8000, 1, 1_000_000) / count;
        var rounds = arguments.Number("rounds", 4, 1, 100);
        var seconds = arguments.Number("seconds", 60, 1, 600);
        var pid = arguments.Number("pid", 0, 0, int.MaxValue);
        var secret = arguments.Required("secret-file");
        var authorities = Authorities(arguments.Required("ca"));
        var (cert, key) = (arguments.Required("cert"), arguments.Required("key"));
        var barePort = arguments.Number("bare-port", 0, 1, 65535);
        var prefix = arguments.Text("prefix", "bench-");
        arguments.RefuseUnread();

        using var bare = await StartBareAsync(barePort, cert, key, stopping);
        try
        {
            var bareAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{barePort}"));
            List<LoadResult> collector = [], floor = [];
            for (var round = 0; round < rounds; round++)
            {
                var agents = SimulatedAgent.Make(prefix, count, secret, Guid.NewGuid().ToString());
                var run = new LoadRun(address, authorities, agents, batches, TimeProvider.System).Encode(rounds - 1 - round);
                // By turns in both orders, so that neither always comes first.
                foreach (var first in (bool[])[round % 2 == 0, round % 2 != 0])
                {
                    (first ? collector : floor).Add(first
                        ? await run.SendAsync(pid, seconds, stopping)
                        : await run.SendAsync(bareAddress, bare.Id, expectAck: false, seconds, stopping));
                }
            }

            return Print(LoadResult.Sum(collector), LoadResult.Sum(floor), count);
        }
        finally
        {
            bare.Kill();
        }
    }

    public static X509Certificate2Collection Authorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities;
    }

    private static double Print(LoadResult collector, LoadResult bare, int agents)
    {
        var ratio = collector.BatchesPerSecond / bare.BatchesPerSecond;
        LoadResult.PrintLine(json =>
        {
            json.WriteString("mode", "compare");
            json.WriteNumber("agents", agents);
            LoadResult.Number(json, "ratio", ratio);
            json.WriteStartObject("collector");
            collector.Write(json);
            json.WriteEndObject();
            json.WriteStartObject("bare");
            bare.Write(json);
            json.WriteEndObject();
        });
        return ratio;
    }

    private static async Task<Process> StartBareAsync(int port, string cert, string key, CancellationToken stopping)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var word in (string[])["bare", "--port", port.ToString(CultureInfo.InvariantCulture), "--cert", cert, "--key", key])
        {
            start.ArgumentList.Add(word);
        }

        start.Environment.Remove(SocketsInline.Variable); // the driver's own; the endpoint is a plain one
        var process = Process.Start(start) ?? throw new InvalidOperationException("the bare endpoint did not start");
        var line = await process.StandardOutput.ReadLineAsync(stopping);
        return line == "ready" ? process : throw new LoadException($"the bare endpoint said '{line}' in place of 'ready'");
    }
}
