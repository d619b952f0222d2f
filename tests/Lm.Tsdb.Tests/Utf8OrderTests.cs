using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Lm.Tsdb.Tests;

public sealed class Utf8OrderTests
{
    private static readonly Gen<string> Texts = Gen.Elements("a", "b", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "😀", "\U00010000", "\U0010ffff", "")
        .ArrayOf().Select(string.Concat);

    [Fact]
    public void Texts_compare_as_their_UTF_8_bytes_do() => Prop.ForAll(Arb.From(Texts.Two()), pair =>
    {
        var expected = Encoding.UTF8.GetBytes(pair.Item1).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(pair.Item2));
        return Math.Sign(Utf8Order.Compare(pair.Item1, pair.Item2)) == Math.Sign(expected);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void A_label_set_has_the_order_of_bytes_where_UTF_16_has_another()
    {
        var set = new LabelSet(new Label("😀", "1"), new Label("\uffff", "2"));

        Assert.Equal(["\uffff", "😀"], set.Labels.ToArray().Select(label => label.Name));
        Assert.True(new LabelSet(new Label("a", "\uffff")).CompareTo(new LabelSet(new Label("a", "😀"))) < 0);
    }
}
