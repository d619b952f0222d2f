namespace Lm.Agent.Tests;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("agent.toml", AgentMode.Check)]
    [InlineData("--once agent.toml", AgentMode.Once)]
    [InlineData("agent.toml --daemon", AgentMode.Daemon)]
    [InlineData("--flush --flush agent.toml", AgentMode.Flush)]
    public void A_mode_and_a_configuration_are_understood_in_any_order(string line, object mode)
    {
        var command = CommandLine.Parse(line.Split(' '), out _);

        Assert.Equal(new CommandLine((AgentMode)mode, "agent.toml"), command);
    }

    [Theory]
    [InlineData("", "CONFIG is missing")]
    [InlineData("--once", "CONFIG is missing")]
    [InlineData("--daemon --once a", "cannot stand beside '--daemon'")]
    [InlineData("a b", "unexpected argument 'b'")]
    [InlineData("--deamon a", "unknown option '--deamon'")]
    public void Anything_else_is_refused_with_what_is_expected(string line, string expected)
    {
        var command = CommandLine.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), out var fault);

        Assert.Null(command);
        Assert.Contains(expected, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_begins_with_a_dash_comes_after_two_dashes() =>
        Assert.Equal(new CommandLine(AgentMode.Check, "-odd.toml"), CommandLine.Parse(["--", "-odd.toml"], out _));

    [Fact]
    public void Help_and_version_need_no_configuration()
    {
        Assert.Equal(AgentMode.Help, CommandLine.Parse(["--help"], out _)?.Mode);
        Assert.Equal(AgentMode.Version, CommandLine.Parse(["--version"], out _)?.Mode);
    }
}
