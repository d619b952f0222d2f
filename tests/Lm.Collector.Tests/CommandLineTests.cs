namespace Lm.Collector.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(0, "/etc/lightmetrics/server.toml")]
    [InlineData(0, "x.toml", "x.toml")]
    [InlineData(1, "x.toml", "--check-config", "x.toml")]
    [InlineData(1, "x.toml", "x.toml", "--check-config")]
    [InlineData(5, "x.toml", "--verify", "x.toml")]
    [InlineData(2, "", "--help")]
    [InlineData(3, "", "--version")]
    [InlineData(4, "", "--chek-config", "x.toml")]
    [InlineData(4, "", "x.toml", "y.toml")]
    [InlineData(4, "", "")]
    public void Arguments_are_read_or_refused(int command, string config, params string[] arguments)
    {
        var line = CommandLine.Parse(arguments);
        Assert.Equal(((Command)command, config), (line.Command, line.ConfigFile));
        Assert.Equal(line.Command == Command.Usage, line.Fault.Length > 0);
    }
}
