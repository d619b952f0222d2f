using Lm.Agent.LogTail;

namespace Lm.Agent.Tests.LogTail;

public sealed class GlobPatternTests
{
    [Theory]
    [InlineData("*.log", "a.log", true)]
    [InlineData("*.log", ".log", false)]
    [InlineData(".*", ".log", true)]
    [InlineData("*", ".hidden", false)]
    [InlineData("a*b*c", "aXbYbZc", true)]
    [InlineData("a*b*c", "aXbYbZ", false)]
    [InlineData("app-?.log", "app-1.log", true)]
    [InlineData("app-?.log", "app-12.log", false)]
    [InlineData("[a-c]1", "b1", true)]
    [InlineData("[a-c]1", "d1", false)]
    [InlineData("[!a-c]1", "d1", true)]
    [InlineData("[^a-c]1", "b1", false)]
    [InlineData("[]]", "]", true)]
    [InlineData("[]x]", "x", true)]
    [InlineData("[x", "[x", true)]
    [InlineData("[", "[", true)]
    [InlineData("***", "anything", true)]
    public void Names_match_as_glob_has_it(string pattern, string name, bool expected) => Assert.Equal(expected, GlobPattern.IsMatch(pattern, name));

    [Theory]
    [InlineData("/var/log/app.log", "/var/log/app.log", true)]
    [InlineData("/var//log/app.log", "/var//log/app.log", true)]
    [InlineData("/var//log/app.log", "/var/log/app.log", true)]
    [InlineData("/var/log/app.log", "/var/log/app.log.1", false)]
    [InlineData("/var/log/*/a?.log", "/var/log/web/a1.log", true)]
    [InlineData("/var/log/*/a?.log", "/var/log/a1.log", false)]
    [InlineData("/var/log/*/a?.log", "/var/log/web/old/a1.log", false)]
    [InlineData("/var/log/*.log", "/var/lib/a.log", false)]
    [InlineData("/*.log", "/a.log", true)]
    public void A_pattern_names_a_path_whether_a_file_is_there_or_not(string pattern, string path, bool expected) =>
        Assert.Equal(expected, new GlobPattern(pattern).Names(path));

    [Fact]
    public void A_hostile_pattern_takes_no_more_than_the_square_of_its_length() =>
        Assert.False(GlobPattern.IsMatch(string.Concat(Enumerable.Repeat("*a", 100)) + "b", new string('a', 4000)));

    [Fact]
    public void Folders_may_have_wildcards_and_those_that_are_not_there_yet_are_told()
    {
        var folder = Directory.CreateTempSubdirectory("lm-glob-").FullName;
        try
        {
            foreach (var file in new[] { "x1/log/a.log", "x2/log/a.log", "x2/other/a.log", "x2/log/b.txt", ".x3/log/a.log" })
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
                using var made = File.Create(Path.Combine(folder, file));
            }

            Directory.CreateDirectory(Path.Combine(folder, "x4"));
            var directories = new HashSet<string>();

            var found = new GlobPattern($"{folder}/x*/log/*.log").Expand(100, directories);

            Assert.Equal([$"{folder}/x1/log/a.log", $"{folder}/x2/log/a.log"], found);
            Assert.Superset(new HashSet<string> { folder, $"{folder}/x1/log", $"{folder}/x2/log", $"{folder}/x4", $"{folder}/x4/log" }, directories);
            Assert.DoesNotContain($"{folder}/.x3", directories);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("syslog.1", "syslog", true)]
    [InlineData("syslog-20260102", "syslog", true)]
    [InlineData("app-2026-01-02T03:04:05Z.log", "app.log", true)]
    [InlineData("app.1.log", "app.log", true)]
    [InlineData("app.log.old", "app.log", true)]
    [InlineData("app.log.bak", "app.log", true)]
    [InlineData("app.log", "app.log", false)]
    [InlineData("app-debug.log", "app.log", false)]
    [InlineData("apple.log", "app.log", false)]
    [InlineData("syslog.1.gz", "syslog", false)]
    [InlineData("app2.log", "app.log", false)]
    public void Rotations_are_known_by_what_was_added_to_the_name(string name, string original, bool expected) =>
        Assert.Equal(expected, RotatedName.IsRotationOf(name, original));
}
