namespace Lm.Agent.Tests.LogTail;

/// <summary>The agent is killed, or its machine loses power, at any operation of the queue's file system while log files grow and rotate.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LogTailerCrashTests
{
    [Fact]
    public async Task Every_line_is_in_the_queue_once_and_in_order_whatever_instant_it_was_killed_at()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            try
            {
                await RunAsync(seed, powerCut: false);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }
    }

    [Fact]
    public async Task A_power_cut_leaves_each_line_in_the_queue_once_or_in_its_file()
    {
        for (var seed = 101; seed <= 140; seed++)
        {
            try
            {
                await RunAsync(seed, powerCut: true);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
            }
        }
    }

    [Fact]
    public async Task A_failing_disk_loses_no_line_and_doubles_none()
    {
        for (var at = 0; at < 40; at++)
        {
            await using var bench = new TailBench { LogsPerBatchMax = 3 };
            bench.AddInput("a.log");
            await bench.StartAsync();
            var first = bench.Files.OperationCount + at;
            bench.Files.Fault = operation => operation.Index == first ? new Lm.TestKit.FileFault(5, operation.Index % 2 == 0) : null;
            for (var i = 0; i < 8; i++)
            {
                bench.Append("a.log", $"{i}\n{i}+\n");
                await bench.ReadAsync(seconds: 2);
            }

            bench.Files.Fault = null;
            await bench.ReadAsync(seconds: 2);
            await bench.RestartAsync();
            await bench.ReadAsync(seconds: 2);

            Assert.Equal(Enumerable.Range(0, 8).SelectMany(i => new[] { $"{i}", $"{i}+" }), bench.Bodies());
            Assert.Equal(0UL, bench.Queue.Queue.Counters.Lost);
        }
    }

    private static async Task RunAsync(int seed, bool powerCut)
    {
        var random = new Random(seed);
        await using var bench = new TailBench(seed: seed) { LogsPerBatchMax = 1 + (seed % 5) };
        bench.AddInput("a.log");
        bench.AddInput("b*.log");
        await bench.StartAsync();
        await bench.ReadAsync(); // from now on the inputs are known, and nothing may be missed
        var written = new Dictionary<string, List<string>> { ["in0"] = [], ["in1"] = [] };
        for (var step = 0; step < 25; step++)
        {
            Write(bench, random, step, written);
            switch (random.Next(6))
            {
                case 0:
                    bench.Files.HaltAt = bench.Files.OperationCount + random.Next(12);
                    for (var i = 0; i < 3 && !bench.Files.IsDead; i++)
                    {
                        await bench.ReadAsync();
                        Write(bench, random, step, written);
                    }

                    await bench.CrashAsync(powerCut ? random : null);
                    await bench.StartAsync();
                    break;
                case 1:
                    Rotate(bench);
                    Write(bench, random, step, written);
                    break;
                case 2:
                    await bench.RestartAsync();
                    break;
                default:
                    await bench.ReadAsync();
                    break;
            }
        }

        await bench.ReadAsync();
        await bench.RestartAsync();
        await bench.ReadAsync();

        var arrived = bench.Arrived();
        foreach (var (input, lines) in written)
        {
            // In the order of each file; files of one pattern have no order among them.
            Assert.Equal(InOrder(lines), InOrder(arrived.Where(line => line.Attributes["input"] == input).Select(line => line.Body)));
        }
    }

    private static string InOrder(IEnumerable<string> lines) =>
        string.Join('\n', lines.GroupBy(line => line[0]).OrderBy(group => group.Key).Select(group => string.Join(',', group)));

    private static void Write(TailBench bench, Random random, int step, Dictionary<string, List<string>> written)
    {
        for (var i = random.Next(6); i >= 0; i--)
        {
            var name = random.Next(3) switch { 0 => "a.log", 1 => "b1.log", _ => "b2.log" };
            var list = written[name == "a.log" ? "in0" : "in1"];
            var line = $"{(name == "a.log" ? 'a' : name[1])} {step} {list.Count}";
            bench.Append(name, line + "\n");
            list.Add(line);
        }
    }

    private static void Rotate(TailBench bench)
    {
        for (var i = 8; i >= 1; i--)
        {
            if (File.Exists(bench.At($"a.log.{i}")))
            {
                bench.Rename($"a.log.{i}", $"a.log.{i + 1}");
            }
        }

        if (File.Exists(bench.At("a.log")))
        {
            bench.Rename("a.log", "a.log.1");
            bench.WaitForTheKernelsClock();
        }
    }
}
