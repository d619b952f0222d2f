using System.Net;
using System.Runtime.InteropServices;
using Lm.LoadDriver;

const string Help = """
    lm-load tokens  --agents N --secret-file F [--prefix P] [--remote-write]
        prints the collector's token table for the simulated agents
    lm-load run     --url https://HOST:PORT --ca F --secret-file F [--agents 16] [--batches 20000] [--seconds 60] [--pid PID] [--prefix P]
                     [--log-lines N [--flood] | --alert-every N]
         sends heartbeats of 107 series, one in N with an alert record, or batches of so many log lines, each in a stream of its own with --flood;
         prints one JSON line
    lm-load pace    --url … --ca F --secret-file F [--agents 1000] [--every-ms 15000] [--seconds 600] [--log-lines N] [--pid PID] [--prefix P]
        each agent sends a heartbeat, or a batch of so many lines, at this interval, until the seconds are over or SIGTERM; prints one JSON line
    lm-load compare --url … --ca F --secret-file F --cert F --key F --bare-port N [--agents 16] [--batches 8000] [--rounds 4] [--pid PID]
                    [--at-least PERCENT]
        the same by turns to the collector and to a bare Kestrel endpoint; exit code 1 below the percentage
    lm-load bare    --port N --cert F --key F
        the bare endpoint alone
    lm-load crash   --url … --ca F --secret-file F [--agents 4] [--series 5] [--pause-ms 0] [--forget] [--prefix P]
        sends until SIGTERM, noting IDs in $FAULT_SENT and $FAULT_ACKED, with so long a pause of each agent after each answer; --forget sends acknowledged
        batches again after failures
    lm-load crash-writes --url … --ca F --secret-file F [--agents 4] [--series 1000] [--prefix P]
        the same by remote write, with tokens that allow it
    lm-load relay   --listen IP:PORT --url … --ca F --cert F --key F [--queue-dir D] [--lose PERCENT]
        passes a real agent's requests on to the collector until SIGTERM, noting in $FAULT_SENT, $FAULT_ACKED and $FAULT_SENT.batches each batch
        that was sent, or that the agent's queue in D had synced; loses that share of requests and answers
    lm-load relay   … --lines F
        notes instead every log record that the collector accepted, one a line
    lm-load lines   --folder D --arrived F [--rate 20000]
        writes numbered lines into files in D and rotates them in every way until SIGTERM; F is what the relay notes
    lm-load account --folder D --arrived F
        compares: exit code 0 when every line is there once and in order, 3 when lines are missing alone, else 1
    lm-load listen  --query http://HOST:PORT/ --token-file F [--clients 1000] [--path /api/v1/live?events=batch]
        that many clients of the live stream until SIGTERM; prints one JSON line with what they heard
    lm-load dump    --query http://HOST:PORT/ --token-file F [--heartbeats | --writes] [--uncounted]
        prints the IDs that the collector holds, of crash's batches, of real agents' heartbeats, or of crash-writes' requests; exit code 1 when its own
        counts disagree (not looked at with --uncounted: one that began on an empty disk has not counted all), or a request is not held whole
    """;

if (args is [not "bare", ..])
{
    SocketsInline.TurnOn();
}

using var stop = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
try
{
    return await RunAsync(args, stop.Token);
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync($"lm-load: {e.Message}\n\n{Help}");
    return 2;
}
catch (Exception e) when (LoadRun.IsConnectionFault(e) || e is LoadException or HttpRequestException)
{
    await Console.Error.WriteLineAsync($"lm-load: {e.Message}");
    return 1;
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

static async Task<int> RunAsync(string[] words, CancellationToken stopping)
{
    if (words is [] or ["--help"])
    {
        Console.Out.WriteLine(Help);
        return 0;
    }

    var arguments = new Arguments(words.AsSpan(1));
    switch (words[0])
    {
        case "tokens":
            var listed = SimulatedAgent.Make(
                arguments.Text("prefix", "bench-"), arguments.Number("agents", 16, 1, 1000), arguments.Required("secret-file"), "");
            var mayWrite = arguments.Flag("remote-write");
            arguments.RefuseUnread();
            Console.Out.Write(SimulatedAgent.TokenTable(listed, mayWrite));
            return 0;
        case "run":
            return await LoadAsync(arguments, stopping);
        case "pace":
            return await PaceAsync(arguments, stopping);
        case "compare":
            var percent = arguments.Number("at-least", 0, 0, 1000);
            return await Comparison.RunAsync(arguments, stopping) * 100 >= percent ? 0 : 1;
        case "bare":
            var (port, cert, key) = (arguments.Number("port", 0, 1, 65535), arguments.Required("cert"), arguments.Required("key"));
            arguments.RefuseUnread();
            await BareEndpoint.RunAsync(port, cert, key, stopping);
            return 0;
        case "crash":
            return await CrashAsync(arguments, stopping);
        case "crash-writes":
            return await CrashWritesAsync(arguments, stopping);
        case "relay":
            return await RelayAsync(arguments, stopping);
        case "lines":
            var writer = new LineWriter(arguments.Required("folder"), arguments.Number("rate", 20_000, 1, 1_000_000), arguments.Required("arrived"), TimeProvider.System);
            arguments.RefuseUnread();
            await writer.RunAsync(stopping);
            return 0;
        case "account":
            var (folder, arrived) = (arguments.Required("folder"), arguments.Required("arrived"));
            arguments.RefuseUnread();
            return LineAccount.Check(Path.Combine(folder, "written"), arrived, Console.Out);
        case "listen":
            var live = new LiveClients(new Uri(arguments.Required("query")), (await File.ReadAllTextAsync(arguments.Required("token-file"), stopping)).Trim(),
                arguments.Text("path", "/api/v1/live?events=batch"));
            var clients = arguments.Number("clients", 1000, 1, 10_000);
            arguments.RefuseUnread();
            Console.Out.WriteLine(await live.RunAsync(clients, stopping));
            return 0;
        case "dump":
            using (var held = new HeldBatches(new Uri(arguments.Required("query")), (await File.ReadAllTextAsync(arguments.Required("token-file"), stopping)).Trim()))
            {
                var (heartbeats, writes, isCounted) = (arguments.Flag("heartbeats"), arguments.Flag("writes"), !arguments.Flag("uncounted"));
                arguments.RefuseUnread();
                return writes ? await held.DumpWritesAsync(Console.Out, stopping) : await held.DumpAsync(heartbeats, isCounted, Console.Out, stopping);
            }

        default:
            throw new UsageException($"unknown command {words[0]}");
    }
}

static async Task<int> LoadAsync(Arguments arguments, CancellationToken stopping)
{
    var address = new Uri(arguments.Required("url"));
    var agents = SimulatedAgent.Make(
        arguments.Text("prefix", "bench-"), arguments.Number("agents", 16, 1, 1000), arguments.Required("secret-file"), Guid.NewGuid().ToString());
    var batches = arguments.Number("batches", 20_000, 1, 1_000_000);
    var seconds = arguments.Number("seconds", 60, 1, 600);
    var pid = arguments.Number("pid", 0, 0, int.MaxValue);
    var lines = arguments.Number("log-lines", 0, 0, 4096);
    var alertEvery = arguments.Number("alert-every", 0, 0, 1_000_000);
    var isFlood = arguments.Flag("flood");
    var authorities = Comparison.Authorities(arguments.Required("ca"));
    arguments.RefuseUnread();
    var run = new LoadRun(address, authorities, agents, Math.Max(1, batches / agents.Length), TimeProvider.System) { LogLines = lines, AlertEvery = alertEvery, IsFlood = isFlood }.Encode();
    var result = await run.SendAsync(pid, seconds, stopping);
    LoadResult.PrintLine(json =>
    {
        json.WriteString("mode", "run");
        json.WriteNumber("agents", agents.Length);
        json.WriteNumber("series_per_batch", lines > 0 ? 0 : HeartbeatBatch.SeriesCount);
        result.Write(json);
        json.WriteNumber("log_lines_per_batch", lines);
        LoadResult.Number(json, "log_raw_mib", run.BodyBytes / 1048576.0);
    });
    return 0;
}

static async Task<int> PaceAsync(Arguments arguments, CancellationToken stopping)
{
    var address = new Uri(arguments.Required("url"));
    var agents = SimulatedAgent.Make(
        arguments.Text("prefix", "bench-"), arguments.Number("agents", 1000, 1, 1000), arguments.Required("secret-file"), Guid.NewGuid().ToString());
    var every = TimeSpan.FromMilliseconds(arguments.Number("every-ms", HeartbeatBatch.IntervalMs, 10, 3_600_000));
    var seconds = arguments.Number("seconds", 600, 1, 86_400);
    var lines = arguments.Number("log-lines", 0, 0, 4096);
    var pid = arguments.Number("pid", 0, 0, int.MaxValue);
    var authorities = Comparison.Authorities(arguments.Required("ca"));
    arguments.RefuseUnread();
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    limit.CancelAfter(TimeSpan.FromSeconds(seconds));
    var load = new PacedLoad(address, authorities, agents, every, lines, TimeProvider.System);
    var result = await load.RunAsync(pid, limit.Token);
    LoadResult.PrintLine(json =>
    {
        json.WriteString("mode", "pace");
        json.WriteNumber("agents", agents.Length);
        result.Write(json);
        json.WriteNumber("log_lines", load.Lines);
        json.WriteNumber("latest_ms", load.LatestMs);
    });
    return 0;
}

static async Task<int> CrashAsync(Arguments arguments, CancellationToken stopping)
{
    var address = new Uri(arguments.Required("url"));
    var agents = SimulatedAgent.Make(
        arguments.Text("prefix", "fault-"), arguments.Number("agents", 4, 1, 1000), arguments.Required("secret-file"), "");
    var series = arguments.Number("series", 5, 1, 2048);
    var pause = TimeSpan.FromMilliseconds(arguments.Number("pause-ms", 0, 0, 60_000));
    var forget = arguments.Flag("forget");
    var authorities = Comparison.Authorities(arguments.Required("ca"));
    arguments.RefuseUnread();
    using var journal = FaultJournal.Open();
    return await new CrashLoad(address, authorities, journal, FaultJournal.BaseMillis(TimeProvider.System), series, pause, forget, TimeProvider.System)
        .RunAsync(agents, stopping);
}

static async Task<int> CrashWritesAsync(Arguments arguments, CancellationToken stopping)
{
    var address = new Uri(arguments.Required("url"));
    var senders = SimulatedAgent.Make(
        arguments.Text("prefix", "fault-"), arguments.Number("agents", 4, 1, 1000), arguments.Required("secret-file"), "");
    var series = arguments.Number("series", 1000, 2, 20_000);
    var authorities = Comparison.Authorities(arguments.Required("ca"));
    arguments.RefuseUnread();
    using var journal = FaultJournal.Open();
    return await new WriteCrashLoad(address, authorities, journal, FaultJournal.BaseMillis(TimeProvider.System), series, TimeProvider.System)
        .RunAsync(senders, stopping);
}

static async Task<int> RelayAsync(Arguments arguments, CancellationToken stopping)
{
    var listen = IPEndPoint.TryParse(arguments.Required("listen"), out var parsed) ? parsed : throw new UsageException("--listen: IP:PORT is allowed");
    var target = new Uri(arguments.Required("url"));
    var authorities = Comparison.Authorities(arguments.Required("ca"));
    var (cert, key) = (arguments.Required("cert"), arguments.Required("key"));
    var queue = arguments.Text("queue-dir", "");
    var lose = arguments.Number("lose", 0, 0, 99);
    var linesFile = arguments.Text("lines", "");
    arguments.RefuseUnread();
    using var lines = linesFile.Length > 0 ? new ArrivedLines(new AppendOnlyFile(linesFile)) : null;
    using var ledger = lines is null ? AgentLedger.Open() : null;
    using var relay = new Relay(target, authorities, ledger, lines, lose);
    var watching = queue.Length > 0 && ledger is not null ? Task.Run(() => new QueueWatch(queue, ledger, TimeProvider.System).RunAsync(stopping), CancellationToken.None) : Task.CompletedTask;
    await relay.RunAsync(listen, cert, key, stopping);
    await watching;
    return 0;
}
