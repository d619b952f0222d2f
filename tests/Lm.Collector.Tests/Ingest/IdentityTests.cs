using System.Text;
using Lm.Collector.Ingest;
using Lm.Collector.Tests.Series;
using Lm.Protocol;

namespace Lm.Collector.Tests.Ingest;

public sealed class IdentityTests
{
    [Fact]
    public void The_verified_agent_is_the_instance() =>
        Assert.Equal("""__name__="x" instance="web1" job="lightmetrics" """, Build([], "x"));

    [Fact]
    public void A_series_own_label_beats_the_agents() =>
        Assert.Equal("""__name__="x" instance="web1" job="lightmetrics" rack="2" site="own" """, Build([new("site", "lab"), new("rack", "2")], "x", new Label("site", "own")));

    [Fact]
    public void V22_a_batchs_own_instance_and_job_are_renamed() =>
        Assert.Equal("""__name__="x" exported_instance="i" exported_job="j" instance="web1" job="lightmetrics" """, Build([], "x", new("job", "j"), new("instance", "i")));

    [Fact]
    public void V22_the_prefix_is_repeated_until_the_name_is_free() =>
        Assert.Equal(
            """__name__="x" exported_exported_job="j" exported_job="old" instance="web1" job="lightmetrics" """,
            Build([new("exported_job", "old")], "x", new Label("job", "j")));

    [Fact]
    public void V22_a_bare_up_cannot_stand_in_for_the_collectors_own()
    {
        Assert.Equal("""__name__="exported_up" instance="web1" job="lightmetrics" """, Build([], "up"));
        Assert.Equal("""__name__="exported_up" instance="web1" job="lightmetrics" site="lab" """, Build([new("site", "lab")], "up"));
        Assert.Equal("""__name__="up" instance="web1" job="lightmetrics" target="db" """, Build([], "up", new Label("target", "db")));
    }

    private static string Build(Label[] common, string metric, params Label[] labels)
    {
        var batch = new BatchMaker { CommonLabels = common }.With(metric, 1, 0, labels).Make().Batch;
        var identity = new Identity();
        var text = new StringBuilder();
        foreach (var label in identity.Build(batch, batch.Series[0]))
        {
            text.Append(Encoding.UTF8.GetString(identity.Name(label))).Append("=\"").Append(Encoding.UTF8.GetString(identity.Value(label))).Append("\" ");
        }

        return text.ToString();
    }
}
