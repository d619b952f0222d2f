using System.Runtime.InteropServices;

namespace Lm.Platform;

/// <summary>The calling thread, as the kernel schedules it.</summary>
public static partial class OwnThread
{
    // What a thread is given of a busy processor, beside one of usual priority: about a tenth.
    private const int Niceness = 10;

    /// <summary>Lowers its priority for good: beside others that have work it gets about a tenth of a processor, beside none all of it.</summary>
    /// <remarks>.NET's own thread priorities do nothing on Linux. Source: setpriority(2); in Linux 0 names the calling thread, not its process. That it may
    /// fail, where a container forbids the call, is no fault: the thread works on at the usual priority.</remarks>
    /// <returns>Whether the kernel took it.</returns>
    public static bool LowerPriority() => SetPriority(which: 0, who: 0, Niceness) == 0;

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
