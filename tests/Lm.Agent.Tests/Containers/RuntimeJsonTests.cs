using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.Containers;
using Lm.Agent.HostMetrics;

namespace Lm.Agent.Tests.Containers;

public sealed class RuntimeJsonTests
{
    private static readonly FakeContainer Container = new(new string('a', 64), "web", "nginx") { Restarts = 5, Health = "healthy" };

    [Fact]
    public void What_podman_wrote_in_its_older_versions_is_understood()
    {
        Assert.True(RuntimeJson.TryReadPage("""{"State":{"Healthcheck":{"Status":"unhealthy"}},"RestartCount":0}"""u8, out var restarts, out var health));
        Assert.Equal((0, ContainerHealth.Unhealthy), (restarts, health));
    }

    [Theory]
    [InlineData("[]", "")]
    [InlineData("[7]", "")]
    [InlineData("\"x\"", "")]
    [InlineData("[\"/a/b\"]", "a/b")]
    [InlineData("[\"/a/b\",\"/web\"]", "web")]
    [InlineData("[\"/w\\u0000\\u001bb\"]", "w\uFFFD\uFFFDb")]
    public void A_name_is_the_containers_own_and_harmless(string names, string expected)
    {
        var listed = new List<ListedContainer>();

        Assert.True(RuntimeJson.TryReadList(Encoding.UTF8.GetBytes($$"""[{"Names":{{names}},"Id":"{{Container.Id}}"}]"""), listed, out _));

        Assert.Equal(expected, Assert.Single(listed).Name);
    }

    [Fact]
    public void Long_texts_are_cut_or_left_out()
    {
        var listed = new List<ListedContainer>();
        var list = $$"""[{"Id":"{{Container.Id}}","Names":["{{new string('n', 4000)}}"],"Image":"{{new string('i', 5000)}}"}]""";

        Assert.True(RuntimeJson.TryReadList(Encoding.UTF8.GetBytes(list), listed, out _));

        Assert.Equal((LabelText.LongValueBytesMax, ""), (Assert.Single(listed).Name.Length, listed[0].Image));
    }

    [Fact]
    public void More_containers_than_are_taken_are_counted()
    {
        var listed = new List<ListedContainer>();
        var list = string.Join(',', Enumerable.Range(0, RuntimeJson.ContainersMax + 3).Select(i => $$"""{"Id":"{{i:x64}}"}"""));

        Assert.True(RuntimeJson.TryReadList(Encoding.UTF8.GetBytes($"[{list}]"), listed, out var omitted));

        Assert.Equal((RuntimeJson.ContainersMax, 3), (listed.Count, omitted));
    }

    [Fact]
    public void Whatever_the_bytes_are_nothing_is_thrown()
    {
        var (list, page) = (Encoding.UTF8.GetBytes($"[{Container.Listed}]"), Encoding.UTF8.GetBytes(Container.Page));
        Gen<(int At, int Length, byte[] New)> edits =
            from at in Gen.Choose(0, 700)
            from length in Gen.Choose(0, 20)
            from bytes in Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf()
            select (at, length, bytes);

        Prop.ForAll(Arb.From(edits), edit =>
        {
            var into = new List<ListedContainer>();
            var isList = RuntimeJson.TryReadList(Edit(list, edit), into, out _);
            _ = RuntimeJson.TryReadPage(Edit(page, edit), out _, out _);
            return (isList || into.Count == 0) && into.TrueForAll(each => each.Id.Length is 64);
        }).QuickCheckThrowOnFailure();

        static byte[] Edit(byte[] text, (int At, int Length, byte[] New) edit)
        {
            var at = Math.Min(edit.At, text.Length);
            return [.. text[..at], .. edit.New, .. text[Math.Min(text.Length, at + edit.Length)..]];
        }
    }
}
