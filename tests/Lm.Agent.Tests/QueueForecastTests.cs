using Lm.Agent.Settings;

namespace Lm.Agent.Tests;

public sealed class QueueForecastTests
{
    private static readonly AgentSettings Settings = new()
    {
        AgentId = "a1",
        IngestUrl = new Uri("https://localhost:1"),
        Token = new Secret("token"),
        Tls = new TlsMaterial { Roots = null, ClientCertificate = null, ClientChain = [] },
        QueueDirectory = "/queue",
        QueueBytesMax = 1_000_000,
        Interval = TimeSpan.FromSeconds(15),
        ShutdownTimeout = TimeSpan.Zero,
        LogsPerBatchMax = 1,
        LogMessageBytesMax = 64,
        AlertsPerBatchMax = 1,
        Labels = [],
        LogInputs = [],
    };

    private readonly RecordingLogger logger = new();
    private readonly QueueForecast forecast;

    public QueueForecastTests() => forecast = new QueueForecast(logger);

    [Fact]
    public void It_is_told_after_the_second_tick_once()
    {
        Note(Settings, 9_000, 1_000, 1_000, 1_000);

        // A thousand ticks of a quarter of a minute.
        Assert.Equal("max_queue_bytes, 1000000, holds about 0.2 days of batches such as those of the last 15000 ms, 1000 bytes; log lines come on top.", logger.MessageOf(1010));
    }

    [Fact]
    public void A_tick_that_could_not_be_stored_does_not_count()
    {
        Note(Settings, 9_000, 0, 0);
        Assert.Equal(0, logger.CountOf(1010));

        Note(Settings, 1_000);
        Assert.Contains("15000 ms, 1000 bytes", logger.MessageOf(1010), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_targets_are_read_it_is_told_once_each_has_had_its_turn_or_ten_minutes_are_over()
    {
        var minutely = Settings with { Gather = Every(TimeSpan.FromMinutes(1)) };
        Note(minutely, 9_000, 1_000, 1_000, 1_000);
        Assert.Equal(0, logger.CountOf(1010));
        Note(minutely, 5_000);
        Assert.Contains("60000 ms, 8000 bytes", logger.MessageOf(1010), StringComparison.Ordinal);

        Note(Settings with { Gather = Every(TimeSpan.FromDays(1)) }, [.. Enumerable.Repeat(1_000L, 41)]);
        Assert.Contains(logger.Events, logged => logged.Message.Contains("600000 ms, 40000 bytes", StringComparison.Ordinal));
    }

    [Fact]
    public void It_is_told_again_after_a_reload_that_changes_what_goes_in_and_only_then()
    {
        Note(Settings, 9_000, 1_000);
        Note(Settings with { LogsPerBatchMax = 7 }, 1_000, 1_000);
        Assert.Equal(1, logger.CountOf(1010));

        Note(Settings with { QueueBytesMax = 2_000_000 }, 1_000, 1_000);
        Note(Settings with { QueueBytesMax = 2_000_000, Sources = new SourcesSettings { Profile = SourceProfile.Heartbeat } }, 500, 500);
        Assert.Equal(3, logger.CountOf(1010));
    }

    private static GatherSettings Every(TimeSpan interval) => new() { Text = new TextFolderSettings("/text") { Interval = interval, SamplesMax = 1, FileBytesMax = 1 } };

    private void Note(AgentSettings settings, params ReadOnlySpan<long> ticks)
    {
        foreach (var bytes in ticks)
        {
            forecast.Note(bytes, settings);
        }
    }
}
