using System.Runtime.InteropServices;

namespace Lm.Agent.HostMetrics.Node;

/// <summary>What statvfs(3) says of a filesystem.</summary>
internal readonly record struct StatVfs(double SizeBytes, double FreeBytes, double AvailableBytes, ulong Files, ulong FilesFree)
{
    /// <summary>Asks.</summary>
    /// <param name="path">A path of the filesystem, ending with a NUL.</param>
    /// <param name="result">The answer.</param>
    /// <returns>False when the filesystem cannot be asked.</returns>
    public static unsafe bool Ask(byte[] path, out StatVfs result)
    {
        result = default;
        Libc.StatVfsResult answer;
        fixed (byte* name = path)
        {
            int status;
            do
            {
                status = Libc.StatVfs(name, &answer);
            }
            while (status != 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);
            if (status != 0)
            {
                return false;
            }
        }

        var unit = (double)answer.FragmentBytes;
        result = new StatVfs(answer.Blocks * unit, answer.BlocksFree * unit, answer.BlocksAvailable * unit, answer.Files, answer.FilesFree);
        return true;
    }
}
