using Lm.Agent.Settings;

namespace Lm.Agent.Tests.Settings;

public sealed class PathPatternTests
{
    [Theory]
    [InlineData("*.conf", "a.conf", true)]
    [InlineData("*.conf", "x/y/a.conf", true)]
    [InlineData("*.conf", "x.conf/y", false)]
    [InlineData("*.swp", ".a.swp", true)]
    [InlineData("cache", "x/cache", true)]
    [InlineData("cache", "cache/x", false)]
    [InlineData("ssl/*", "ssl/a", true)]
    [InlineData("ssl/*", "x/ssl/a", false)]
    [InlineData("ssl/*", "ssl/a/b", false)]
    [InlineData("/ssl", "ssl", true)]
    [InlineData("/ssl", "x/ssl", false)]
    [InlineData("ssl/**", "ssl/a/b", true)]
    [InlineData("ssl/**", "ssl", true)]
    [InlineData("**/tmp/*.c", "tmp/a.c", true)]
    [InlineData("**/tmp/*.c", "x/y/tmp/a.c", true)]
    [InlineData("**/tmp/*.c", "x/y/tmp/z/a.c", false)]
    [InlineData("[ab]?", "a1", true)]
    [InlineData("[ab]?", "c1", false)]
    public void A_pattern_is_about_names_or_with_a_slash_about_paths(string pattern, string path, bool matches) =>
        Assert.Equal(matches, new PathPattern(pattern).IsMatch(path));
}
