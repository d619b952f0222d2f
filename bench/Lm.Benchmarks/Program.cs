using Lm.Benchmarks;
using Lm.LoadDriver;

const string Help = """
    Lm.Benchmarks frame                            encode, decode and check a heartbeat of 107 series
    Lm.Benchmarks journal --directory DIR [--seconds 5]
                                                   durable appends by 1, 16 and 256 writers; DIR decides which disk is measured
    Lm.Benchmarks query                            dashboards' usual PromQL queries over series in memory
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
        case "journal":
            var (directory, seconds) = (Path.GetFullPath(arguments.Required("directory")), arguments.Number("seconds", 5, 1, 600));
            arguments.RefuseUnread();
            await JournalBenchmark.RunAsync(directory, seconds);
            return 0;
        case "query":
            arguments.RefuseUnread();
            new QueryBenchmark().Run();
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
