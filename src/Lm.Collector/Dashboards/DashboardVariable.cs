namespace Lm.Collector.Dashboards;

/// <summary>A variable as queries see it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsInterval">Whether its values are durations, which may stand outside of strings.</param>
/// <param name="IsMany">Whether it may have several values at once, which only a regular expression can take.</param>
/// <param name="Sample">A value to check queries with.</param>
internal sealed record DashboardVariable(string Name, bool IsInterval, bool IsMany, string Sample);
