namespace Lm.Tsdb.Tests;

public sealed class LabelSetTests
{
    private static readonly LabelSet Set = new(new("host", "x"), new(LabelSet.MetricNameLabel, "m"), new("disk", "0"));

    [Fact]
    public void Labels_are_sorted_each_name_once_and_none_is_empty() =>
        Assert.Equal("{a=\"1\", b=\"2\"}", new LabelSet(new("b", "2"), new("a", "1"), new("b", "3"), new("c", "")).ToString());

    [Fact]
    public void A_set_is_derived_without_some_labels_or_with_only_some()
    {
        Assert.Equal("{disk=\"0\", host=\"x\"}", Set.Without(LabelSet.MetricNameLabel, "none").ToString());
        Assert.Equal("{host=\"x\"}", Set.Only("host", "none").ToString());
        Assert.Same(LabelSet.Empty.Without("a"), LabelSet.Empty);
        Assert.Same(Set, Set.Without("none"));
    }

    [Theory]
    [InlineData("host", "y", "{__name__=\"m\", disk=\"0\", host=\"y\"}")]
    [InlineData("host", "", "{__name__=\"m\", disk=\"0\"}")]
    [InlineData("a", "1", "{__name__=\"m\", a=\"1\", disk=\"0\", host=\"x\"}")]
    [InlineData("z", "1", "{__name__=\"m\", disk=\"0\", host=\"x\", z=\"1\"}")]
    [InlineData("none", "", "{__name__=\"m\", disk=\"0\", host=\"x\"}")]
    public void A_label_is_set_replaced_or_removed_in_its_place(string name, string value, string expected)
    {
        var changed = Set.With(name, value);
        Assert.Equal(expected, changed.ToString());
        Assert.Equal(new LabelSet(changed.Labels), changed);
        Assert.Equal(new LabelSet(changed.Labels).GetHashCode(), changed.GetHashCode());
    }
}
