using System.Runtime.InteropServices;
using System.Text;
using Lm.Platform.Files;

namespace Lm.Platform.Processes;

/// <summary>A program that this one started, and what it writes.</summary>
/// <remarks>
/// Source: posix_spawn(3), pipe(2), poll(2), waitpid(2).
/// The program is started by its path with its arguments as they are: no shell reads them. It gets the environment that it is given and nothing else, an empty
/// standard input, no other open files, and signals as they are by default. It leads a process group of its own, so that what it starts ends with it.
/// What leaves that group is ended by <see cref="Strays"/>, where this program asked for that.
/// <see cref="Read"/> and <see cref="WaitForEnd"/> are for one thread; <see cref="Kill"/> may come from any.
/// </remarks>
public sealed unsafe class ChildProcess : IDisposable
{
    /// <summary>How long the end of a program that was killed is waited for: one that the kernel holds, in a file of a server that is gone, can take hours.</summary>
    public static readonly TimeSpan KillMax = TimeSpan.FromSeconds(2);

    private const int StepMs = 10;

    private readonly Lock gate = new(); // guards hasEnded and lastEnd: the number of a process that was waited for may be another's
    private readonly Descriptor output;
    private readonly Descriptor errors;
    private bool hasErrors = true;
    private bool hasEnded;
    private ChildEnd lastEnd;

    private ChildProcess(int id, Descriptor output, Descriptor errors) => (Id, this.output, this.errors) = (id, output, errors);

    /// <summary>Its process id.</summary>
    public int Id { get; }

    /// <summary>Starts a program in this one's working directory.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="arguments">What follows its name.</param>
    /// <param name="environment">Lines as <c>LC_ALL=C</c>.</param>
    /// <param name="error">The error number when the result is null.</param>
    public static ChildProcess? TryStart(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, out int error) =>
        TryStart(new ProgramStart(path, arguments) { Environment = environment }, out error);

    /// <summary>Starts a program.</summary>
    /// <param name="start">Which, and where; its limits are the caller's to see to.</param>
    /// <param name="error">The error number when the result is null.</param>
    public static ChildProcess? TryStart(ProgramStart start, out int error)
    {
        if (!TryMakePipe(out var output, out var outputEnd, out error))
        {
            return null;
        }

        if (!TryMakePipe(out var errors, out var errorsEnd, out error))
        {
            output.Dispose();
            outputEnd.Dispose();
            return null;
        }

        int id;
        lock (Strays.Gate)
        {
            error = Spawn(start, outputEnd, errorsEnd, out id);
            if (error == 0)
            {
                Strays.Known.Add(id);
            }
        }

        outputEnd.Dispose();
        errorsEnd.Dispose();
        if (error == 0)
        {
            return new ChildProcess(id, output, errors);
        }

        output.Dispose();
        errors.Dispose();
        return null;
    }

    /// <summary>Finds a program in the folders of a search path; folders that are not absolute are passed over.</summary>
    /// <returns>Its path; null when no folder has it.</returns>
    public static string? Find(string name, string? searchPath)
    {
        const string UsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var folder in (string.IsNullOrEmpty(searchPath) ? UsualPath : searchPath).Split(':'))
        {
            var path = folder.StartsWith('/') ? Path.Combine(folder, name) : "";
            if (path.Length > 0 && File.Exists(path) && Libc.Access(path, Libc.AccessExecute) == 0)
            {
                return path;
            }
        }

        return null;
    }

    /// <summary>Waits until it wrote something, or closed its output.</summary>
    /// <param name="into">Gets what it wrote to its standard output.</param>
    /// <param name="errorsInto">Gets what it wrote to its standard error.</param>
    /// <param name="errorCount">Bytes of that.</param>
    /// <param name="timeoutMs">How long to wait, milliseconds; -1 for as long as it takes.</param>
    /// <returns>Bytes of the standard output: 0 when there were none but there may be; -1 at its end.</returns>
    public int Read(Span<byte> into, Span<byte> errorsInto, out int errorCount, int timeoutMs = -1)
    {
        errorCount = 0;
        var polled = stackalloc Libc.Polled[2];
        polled[0] = new Libc.Polled { Number = (int)output.DangerousGetHandle(), Asked = Libc.PollReadable };
        polled[1] = new Libc.Polled { Number = hasErrors ? (int)errors.DangerousGetHandle() : -1, Asked = Libc.PollReadable };
        if (Libc.Poll(polled, 2, timeoutMs) <= 0)
        {
            return 0; // interrupted by a signal, or nothing came in time
        }

        if (polled[1].Found != 0)
        {
            errorCount = ReadOnce(errors, errorsInto);
            hasErrors = errorCount > 0;
            errorCount = Math.Max(0, errorCount);
        }

        if (polled[0].Found == 0)
        {
            return 0;
        }

        var count = ReadOnce(output, into);
        return count == 0 ? -1 : count;
    }

    /// <summary>Ends it at once with what it started, unless it has ended and was waited for.</summary>
    public void Kill()
    {
        const int KillSignal = 9;
        lock (gate)
        {
            if (!hasEnded)
            {
                _ = Libc.Kill(-Id, KillSignal); // the group
            }
        }
    }

    /// <summary>Waits until it has ended, kills it when that takes too long, and gives it up when the kernel does not end it within <see cref="KillMax"/> either.</summary>
    /// <param name="patience">How long it may take.</param>
    /// <returns>How it ended; a code of -1 and no signal when it was given up.</returns>
    public ChildEnd WaitForEnd(TimeSpan patience)
    {
        if (TryReapWithin(patience, out var end))
        {
            return end;
        }

        Kill();
        return TryReapWithin(KillMax, out end) ? end : GiveUp();
    }

    /// <summary>Kills it, and forgets it.</summary>
    public void Dispose()
    {
        Kill(); // also what is left of its group, where it has ended itself and was not waited for
        _ = WaitForEnd(KillMax);
        output.Dispose();
        errors.Dispose();
    }

    /// <summary>Whether it has ended. It is not waited for: until then <see cref="Kill"/> reaches what is left of its group, and nobody else gets the number.</summary>
    public bool HasExited()
    {
        const int ById = 1; // P_PID
        const int ExitedNoHangNoWait = 4 | 1 | 0x1000000; // WEXITED, WNOHANG, WNOWAIT
        const int InfoBytes = 128;
        var info = stackalloc byte[InfoBytes];
        new Span<byte>(info, InfoBytes).Clear();
        lock (gate)
        {
            // It begins with the signal's number, which stays 0 while there is nothing to tell.
            return hasEnded || (Libc.WaitForInfo(ById, Id, info, ExitedNoHangNoWait) == 0 && *(int*)info != 0);
        }
    }

    private bool TryReapWithin(TimeSpan patience, out ChildEnd end)
    {
        for (var left = (long)patience.TotalMilliseconds; ; left -= StepMs)
        {
            if (TryReap(out end))
            {
                return true;
            }

            if (left <= 0)
            {
                return false;
            }

            _ = Libc.Poll(null, 0, StepMs);
        }
    }

    // Its number is left to the kernel. Where strays are adopted it is ended as one of them, once that can be.
    private ChildEnd GiveUp()
    {
        lock (gate)
        {
            (hasEnded, lastEnd) = (true, new ChildEnd(-1, 0));
            lock (Strays.Gate)
            {
                Strays.Known.Remove(Id);
            }

            return lastEnd;
        }
    }

    private bool TryReap(out ChildEnd end)
    {
        const int NoHang = 1;
        lock (gate)
        {
            while (!hasEnded)
            {
                var result = Libc.WaitFor(Id, out var status, NoHang);
                if (result == 0)
                {
                    end = default;
                    return false;
                }

                if (result > 0 || !Libc.WasInterrupted())
                {
                    hasEnded = true;
                    lock (Strays.Gate)
                    {
                        Strays.Known.Remove(Id);
                    }

                    lastEnd = result > 0 ? ChildEnd.Of(status) : new ChildEnd(-1, 0);
                }
            }

            end = lastEnd;
            return true;
        }
    }

    private static int ReadOnce(Descriptor from, Span<byte> into)
    {
        fixed (byte* start = into)
        {
            while (true)
            {
                var count = Libc.Read(from, start, (nuint)into.Length);
                if (count >= 0 || !Libc.WasInterrupted())
                {
                    return (int)Math.Max(0, count);
                }
            }
        }
    }

    private static bool TryMakePipe(out Descriptor reading, out Descriptor writing, out int error)
    {
        var ends = stackalloc int[2];
        error = Libc.Pipe(ends, Libc.OpenCloseOnExec) == 0 ? 0 : Marshal.GetLastPInvokeError();
        (reading, writing) = error == 0 ? (new Descriptor(ends[0]), new Descriptor(ends[1])) : (null!, null!);
        return error == 0;
    }

    private static int Spawn(ProgramStart start, Descriptor output, Descriptor errors, out int id)
    {
        const int ImageNumber = 3;
        // posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t of glibc have 80, 336 and 128 bytes.
        const int OpaqueBytes = 512;
        const short SetGroup = 0x02; // its own: that is what the attributes begin with
        const short SetSignalDefaults = 0x04;
        const short SetSignalMask = 0x08;
        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        var signals = stackalloc byte[OpaqueBytes];
        id = 0;
        using var argumentList = new NativeStrings([start.Path, .. start.Arguments]);
        using var environmentList = new NativeStrings(start.Environment);
        _ = Libc.SpawnActionsInit(actions);
        _ = Libc.SpawnAttributesInit(attributes);
        try
        {
            _ = Libc.SignalsNone(signals);
            var error = Libc.SpawnSetMask(attributes, signals);
            _ = Libc.SignalsAll(signals);
            error = error != 0 ? error : Libc.SpawnSetDefaults(attributes, signals);
            error = error != 0 ? error : Libc.SpawnSetFlags(attributes, SetGroup | SetSignalDefaults | SetSignalMask);
            error = error != 0 ? error : Libc.SpawnAddOpen(actions, 0, "/dev/null", Libc.OpenReadOnly, 0);
            error = error != 0 ? error : Libc.SpawnAddDuplicate(actions, (int)output.DangerousGetHandle(), 1);
            error = error != 0 ? error : Libc.SpawnAddDuplicate(actions, (int)errors.DangerousGetHandle(), 2);
            error = error != 0 || start.WorkingDirectory.Length == 0 ? error : Libc.SpawnAddChangeDirectory(actions, start.WorkingDirectory);
            var path = start.Path;
            if (error == 0 && start.Image is { } image)
            {
                // Its number in the child; not closed by exec, or a script's interpreter could not open it.
                error = Libc.SpawnAddDuplicate(actions, (int)image.Descriptor.DangerousGetHandle(), ImageNumber);
                path = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/self/fd/{ImageNumber}");
            }

            return error != 0 ? error : Libc.Spawn(out id, path, actions, attributes, argumentList.Pointer, environmentList.Pointer);
        }
        finally
        {
            _ = Libc.SpawnActionsDestroy(actions);
            _ = Libc.SpawnAttributesDestroy(attributes);
        }
    }

    /// <summary>Texts as the kernel takes them: an array of pointers, null at its end.</summary>
    private sealed class NativeStrings : IDisposable
    {
        private readonly nint[] texts;
        private readonly byte** list;

        public NativeStrings(IReadOnlyList<string> from)
        {
            texts = new nint[from.Count];
            list = (byte**)NativeMemory.AllocZeroed((nuint)(from.Count + 1), (nuint)sizeof(byte*));
            for (var i = 0; i < texts.Length; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(from[i]);
                var text = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
                bytes.CopyTo(new Span<byte>(text, bytes.Length));
                texts[i] = (nint)text;
                list[i] = text;
            }
        }

        public byte** Pointer => list;

        public void Dispose()
        {
            foreach (var text in texts)
            {
                NativeMemory.Free((void*)text);
            }

            NativeMemory.Free(list);
        }
    }
}

/// <summary>How a program ended.</summary>
/// <param name="Code">Its exit code; -1 when a signal ended it, or that is not known.</param>
/// <param name="Signal">The signal that ended it; 0 for none.</param>
public readonly record struct ChildEnd(int Code, int Signal)
{
    /// <summary>Of the status that waitpid(2) gives.</summary>
    internal static ChildEnd Of(int status) => (status & 0x7F) == 0 ? new ChildEnd((status >> 8) & 0xFF, 0) : new ChildEnd(-1, status & 0x7F);
}
