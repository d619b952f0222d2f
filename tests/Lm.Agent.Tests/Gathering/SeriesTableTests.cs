using System.Text;
using Lm.Agent.Gathering;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Tests.Gathering;

public sealed class SeriesTableTests
{
    [Fact]
    public void Types_and_help_reach_the_series_of_a_family_histograms_as_their_parts()
    {
        const string Text = """
            # HELP rpc_seconds Time.
            # TYPE rpc_seconds histogram
            rpc_seconds_bucket{le="1"} 2
            rpc_seconds_sum 3
            rpc_seconds_count 2
            # TYPE jobs counter
            # UNIT jobs jobs
            jobs_total 5
            # TYPE heat gauge
            heat 21.5
            free 7
            """;

        var samples = Read(new SeriesTable(Rules()), Text);

        Assert.Equal(
            [MetricType.Counter, MetricType.Counter, MetricType.Counter, MetricType.Counter, MetricType.Gauge, MetricType.Unknown],
            samples.Select(sample => sample.Metric.Type));
        Assert.Equal(("Time.", "jobs"), (samples[0].Metric.Help, samples[3].Metric.Unit));
    }

    [Fact]
    public void A_known_series_is_the_same_object_at_the_next_reading()
    {
        var table = new SeriesTable(Rules());

        var first = Read(table, "a{x=\"1\"} 1\n");
        var second = Read(table, "a{x=\"1\"} 2\n");

        Assert.Same(first[0].Metric, second[0].Metric);
        Assert.Same(first[0].Labels, second[0].Labels);
        Assert.Empty(table.Ended);
    }

    [Fact]
    public void Series_with_a_label_that_only_the_collector_may_set_are_left_out_and_the_others_stay()
    {
        var samples = Read(new SeriesTable(Rules()), "a{__a=\"1\"} 1\na{__name__=\"b\"} 1\na{c=\"1\"} 1\n");

        Assert.Equal(["c"], Assert.Single(samples).Labels.Select(label => label.Name));
    }

    [Fact]
    public void Series_that_a_reading_no_longer_has_are_told_to_have_ended_once()
    {
        var table = new SeriesTable(Rules());
        Read(table, "a 1\nb 1\n");

        Read(table, "b 2\n");
        Assert.Equal(["a"], table.Ended.Select(ended => ended.Metric.Name));
        Read(table, "b 3\n");
        Assert.Empty(table.Ended);
        table.EndAll();
        Assert.Equal(["b"], table.Ended.Select(ended => ended.Metric.Name));
    }

    [Fact]
    public void A_reading_that_fails_in_its_last_line_leaves_nothing_of_itself()
    {
        var table = new SeriesTable(Rules());
        Read(table, "a{request=\"0\"} 1\nsteady 1\n");
        for (var round = 1; round < 4; round++)
        {
            var fault = table.Read(Encoding.UTF8.GetBytes($"a{{request=\"{round}\"}} 1\nsteady 1\n<html>\n"), out var samples);
            table.EndAll();

            Assert.Equal("line 3: it does not begin with a metric's name", fault);
            Assert.Empty(samples);
            // What was given before ended with the first bad reading; of the bad ones nothing did.
            Assert.Equal(round == 1 ? ["a 0", "steady "] : [], table.Ended.Select(ended => $"{ended.Metric.Name} {string.Join(',', ended.Labels.Select(label => label.Value))}").Order());
        }

        Assert.Equal(2, Read(table, "a{request=\"4\"} 1\nsteady 1\n").Length);
        Assert.Empty(table.Ended);
    }

    [Fact]
    public void More_samples_than_allowed_are_taken_none_of()
    {
        var table = new SeriesTable(Rules() with { SamplesMax = 2 });

        Assert.Equal("line 3: there are more than 2 samples", table.Read("a 1\nb 1\nc 1\n"u8, out var samples));
        Assert.Empty(samples);
    }

    [Fact]
    public void A_series_that_stands_there_twice_counts_once()
    {
        var table = new SeriesTable(Rules());

        var samples = Read(table, "a 1\na 2\n");

        Assert.Equal(1, Assert.Single(samples).Value);
        Assert.Equal((2, 1), (table.ReadCount, table.DuplicateCount));
    }

    [Fact]
    public void A_line_without_end_is_refused_before_it_is_looked_at() =>
        Assert.Equal("line 1: it has more than 65536 bytes", new SeriesTable(Rules()).Read(new byte[70_000], out _));

    [Fact]
    public void Ever_new_series_take_no_more_room_than_one_reading_has()
    {
        var table = new SeriesTable(Rules() with { SamplesMax = 100 });
        for (var round = 0; round < 50; round++)
        {
            var text = string.Concat(Enumerable.Range(0, 100).Select(i => $"m_{round}_{i}{{l=\"{round}\"}} 1\n"));

            Assert.Equal(100, Read(table, text).Length);
            Assert.Equal(round == 0 ? 0 : 100, table.Ended.Count);
        }
    }

    [Fact]
    public void Own_labels_are_added_and_what_had_their_name_is_kept_under_another()
    {
        var table = new SeriesTable(Rules() with { Own = [new Label("scrape", "app")] });

        var sample = Assert.Single(Read(table, "a{scrape=\"mine\",exported_scrape=\"x\"} 1\n"));

        Assert.Equal([new Label("exported_exported_scrape", "mine"), new Label("exported_scrape", "x"), new Label("scrape", "app")], sample.Labels);
    }

    [Fact]
    public void Rules_keep_drop_and_replace_in_order()
    {
        var table = new SeriesTable(Rules() with
        {
            Rules =
            [
                Rule(RelabelAction.Drop, "go_.*", sources: ["__name__"]),
                Rule(RelabelAction.Keep, "a|b;x", sources: ["__name__", "l"], pattern: "(a|b);x"),
                Rule(RelabelAction.Replace, "(.*)-(.*)", sources: ["host"], target: "zone", replacement: "$2.$1"),
                Rule(RelabelAction.Replace, "(.*)", sources: ["__name__"], target: "__name__", replacement: "app_$1"),
                Rule(RelabelAction.LabelDrop, "host|l", sources: []),
            ],
        });

        var samples = Read(table, "go_threads 1\na{l=\"x\",host=\"h1-eu\"} 2\nb{l=\"y\"} 3\nb{l=\"x\"} 4\n");

        Assert.Equal(["app_a", "app_b"], samples.Select(sample => sample.Metric.Name));
        Assert.Equal([new Label("zone", "eu.h1")], samples[0].Labels);
        Assert.Empty(samples[1].Labels);
        Assert.Equal(4, table.ReadCount);
    }

    [Fact]
    public void A_rule_that_makes_a_name_that_is_none_drops_the_series()
    {
        var table = new SeriesTable(Rules() with { Rules = [Rule(RelabelAction.Replace, "(.*)", ["l"], "__name__", "$1")] });

        Assert.Empty(Read(table, "a{l=\"not a name\"} 1\n"));
    }

    private static SeriesRules Rules() => new(10_000, [], []);

    private static RelabelRule Rule(RelabelAction action, string text, IReadOnlyList<string> sources, string target = "", string replacement = "$1", string? pattern = null)
    {
        Assert.True(AnchoredRegex.TryParse(pattern ?? text, out var parsed, out var fault), fault);
        return new RelabelRule(action, sources, parsed!, target, replacement);
    }

    private static GatheredSample[] Read(SeriesTable table, string text)
    {
        Assert.Equal("", table.Read(Encoding.UTF8.GetBytes(text), out var samples));
        return samples;
    }
}
