using System.Globalization;

namespace Lm.LoadDriver;

/// <summary>What a process has cost so far, from <c>/proc/PID</c>.</summary>
/// <remarks>Source: proc_pid_stat(5), fields 14 and 15 in clock ticks (100 a second on Linux x86-64); proc_pid_status(5), VmHWM.</remarks>
internal static class ProcessCost
{
    public static double CpuSeconds(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");
        // The command may hold spaces and brackets: the fields are counted from behind the last bracket.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    public static double PeakRssMiB(int pid)
    {
        foreach (var line in File.ReadLines($"/proc/{pid}/status"))
        {
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
            {
                return double.Parse(line[6..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) / 1024;
            }
        }

        return 0;
    }
}
