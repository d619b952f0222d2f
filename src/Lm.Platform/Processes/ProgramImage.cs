using System.Runtime.InteropServices;
using Lm.Platform.Files;

namespace Lm.Platform.Processes;

/// <summary>A program's bytes in memory that nobody can change any more, to be started from there: what was checked is what runs.</summary>
/// <remarks>Source: memfd_create(2), F_ADD_SEALS of fcntl(2). A script's interpreter is found by the script's first line, as for a file.</remarks>
public sealed unsafe class ProgramImage : IDisposable
{
    private const int SealSeal = 1;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const int SealWrite = 8;

    private ProgramImage(Descriptor descriptor) => Descriptor = descriptor;

    internal Descriptor Descriptor { get; }

    /// <summary>Makes one.</summary>
    /// <param name="program">The bytes.</param>
    /// <param name="fault">What is wrong, when the result is null.</param>
    public static ProgramImage? TryMake(ReadOnlySpan<byte> program, out string fault)
    {
        const uint CloseOnExec = 1;
        const uint AllowSealing = 2;
        const uint Executable = 16;
        const int AddSeals = 1033;
        var number = Libc.MakeMemoryFile("lm-agent-plugin", CloseOnExec | AllowSealing | Executable);
        number = number >= 0 ? number : Libc.MakeMemoryFile("lm-agent-plugin", CloseOnExec | AllowSealing); // kernels before 6.3 do not know the last flag
        if (number < 0)
        {
            fault = $"no memory file can be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}";
            return null;
        }

        var descriptor = new Descriptor(number);
        if (TryWrite(descriptor, program) && Libc.Control(descriptor, AddSeals, SealSeal | SealShrink | SealGrow | SealWrite) == 0)
        {
            fault = "";
            return new ProgramImage(descriptor);
        }

        fault = $"the program's bytes cannot be held in memory: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}";
        descriptor.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => Descriptor.Dispose();

    private static bool TryWrite(Descriptor to, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (var done = 0; done < bytes.Length;)
            {
                var count = Libc.WriteAt(to, start + done, (nuint)(bytes.Length - done), done);
                if (count <= 0 && !Libc.WasInterrupted())
                {
                    return false;
                }

                done += (int)Math.Max(0, count);
            }
        }

        return true;
    }
}
