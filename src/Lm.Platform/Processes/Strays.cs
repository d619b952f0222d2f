using System.Globalization;
using Lm.Platform.Files;

namespace Lm.Platform.Processes;

/// <summary>Processes that a child left behind and that left its process group: they become this program's children, and are ended.</summary>
/// <remarks>Source: PR_SET_CHILD_SUBREAPER of prctl(2); <c>/proc/self/task/*/children</c> of proc(5), which kernels of distributions have.</remarks>
public static class Strays
{
    // A process that forks faster than it is killed is not to hold this program up.
    private const int RoundsMax = 50;

    private static volatile bool isAdopting;

    /// <summary>Held while a child is started: until it is known it would look like a stray.</summary>
    internal static Lock Gate { get; } = new(); // guards Known

    /// <summary>Children that were started and not waited for yet.</summary>
    internal static HashSet<int> Known { get; } = [];

    /// <summary>From now on processes whose parent ended become children of this program instead of init's.</summary>
    /// <returns>Whether the kernel took it.</returns>
    public static bool Adopt()
    {
        const int SetChildSubreaper = 36;
        isAdopting = Libc.ProcessControl(SetChildSubreaper, 1, 0, 0, 0) == 0;
        return isAdopting;
    }

    /// <summary>After a program ended: ends all children that this program did not start itself, where <see cref="Adopt"/> was called.</summary>
    internal static int EndLeftBehind() => isAdopting ? End() : 0;

    /// <summary>Ends all children that this program did not start itself.</summary>
    /// <returns>How many there were.</returns>
    private static int End()
    {
        var ended = 0;
        for (var round = 0; round < RoundsMax; round++)
        {
            lock (Gate)
            {
                var found = 0;
                foreach (var id in FindChildren())
                {
                    if (!Known.Contains(id))
                    {
                        found++;
                        ended += EndOne(id) ? 1 : 0;
                    }
                }

                if (found == 0)
                {
                    return ended;
                }
            }

            _ = Wait(1);
        }

        return ended;
    }

    private static unsafe int Wait(int milliseconds) => Libc.Poll(null, 0, milliseconds);

    private static bool EndOne(int id)
    {
        const int KillSignal = 9;
        const int NoHang = 1;
        _ = Libc.Kill(id, KillSignal);
        return Libc.WaitFor(id, out _, NoHang) == id;
    }

    private static List<int> FindChildren()
    {
        var found = new List<int>();
        try
        {
            foreach (var task in Directory.EnumerateDirectories("/proc/self/task"))
            {
                var text = File.ReadAllText(Path.Combine(task, "children"));
                foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                    {
                        found.Add(id);
                    }
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A thread that ended meanwhile, or a kernel without that file.
        }

        return found;
    }
}
