namespace Lm.Logs.Tests;

public sealed class LogStreamTests
{
    [Fact]
    public void Streams_with_the_same_labels_in_another_order_are_one()
    {
        var one = new LogStream([new LogField("instance", "web1"), new LogField("input", "syslog")]);
        var other = new LogStream([new LogField("input", "syslog"), new LogField("instance", "web1")]);

        Assert.Equal(one, other);
        Assert.Equal(one.GetHashCode(), other.GetHashCode());
        Assert.Equal(["input", "instance"], one.Labels.Select(label => label.Name));
    }

    [Fact]
    public void A_label_that_a_stream_does_not_have_is_empty()
    {
        var stream = new LogStream([new LogField("instance", "web1")]);

        Assert.Equal("web1", stream.Instance);
        Assert.Equal("", stream["severity"]);
        Assert.NotEqual(stream, new LogStream([new LogField("instance", "web2")]));
    }
}
