using Lm.Benchmarks;
using Lm.LoadDriver;

const string Help = """
    Lm.Benchmarks frame                            encode, decode and check a heartbeat of 107 series
    Lm.Benchmarks journal --directory DIR [--seconds 5]
                                                   durable appends by 1, 16 and 256 writers; DIR decides which disk is measured
    Lm.Benchmarks write                            decompress and decode a remote-write request of 1,250 series
    Lm.Benchmarks query                            dashboards' usual PromQL queries over series in memory
    Lm.Benchmarks chunk [--seconds 2]              decode chunks of 120 samples, by kind of series
    Lm.Benchmarks block --directory DIR [--series 100000]
                                                   write, open, search, read and merge blocks of two hours
    Lm.Benchmarks head --directory DIR [--series 10700] [--samples 20000000] [--rows 1]
                                                   the head: cost of a sample, memory of a series, reading, restart
    Lm.Benchmarks log --directory DIR [--lines 10000000] [--level 8] [--shuffled 1]
                                                   the log store: cost of a line, bytes stored, a rare word, a regular expression over everything; shuffled: what lines in no order cost
    Each measurement is one line of JSON.
    """;

try
{
    var arguments = new Arguments(args.AsSpan(Math.Min(1, args.Length)));
    switch (args.FirstOrDefault())
    {
        case "frame":
            arguments.RefuseUnread();
            new FrameBenchmark().Run();
            return 0;
        case "write":
            arguments.RefuseUnread();
            new WriteBenchmark().Run();
            return 0;
        case "journal":
            var (directory, seconds) = (Path.GetFullPath(arguments.Required("directory")), arguments.Number("seconds", 5, 1, 600));
            arguments.RefuseUnread();
            await JournalBenchmark.RunAsync(directory, seconds);
            return 0;
        case "query":
            arguments.RefuseUnread();
            new QueryBenchmark().Run();
            return 0;
        case "chunk":
            var duration = arguments.Number("seconds", 2, 1, 600);
            arguments.RefuseUnread();
            ChunkBenchmark.Run(duration);
            return 0;
        case "block":
            var (folder, series) = (Path.GetFullPath(arguments.Required("directory")), arguments.Number("series", 100_000, 100, 10_000_000));
            arguments.RefuseUnread();
            BlockBenchmark.Run(folder, series);
            return 0;
        case "head":
            var headFolder = Path.GetFullPath(arguments.Required("directory"));
            var (headSeries, samples, rows) = (arguments.Number("series", 10_700, 107, 10_000_000), arguments.Number("samples", 20_000_000, 1, 2_000_000_000), arguments.Number("rows", 1, 0, 1));
            arguments.RefuseUnread();
            HeadBenchmark.Run(headFolder, (int)headSeries, samples, rows == 1);
            return 0;
        case "log":
            var logFolder = Path.GetFullPath(arguments.Required("directory"));
            var (logLines, level) = (arguments.Number("lines", 10_000_000, 1000, 1_000_000_000), arguments.Number("level", 8, 1, 19));
            var shuffled = arguments.Number("shuffled", 0, 0, 1);
            arguments.RefuseUnread();
            LogBenchmark.Run(logFolder, logLines, (int)level, shuffled == 1);
            return 0;
        default:
            Console.Out.WriteLine(Help);
            return args is ["--help"] ? 0 : 2;
    }
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync($"{e.Message}\n\n{Help}");
    return 2;
}
