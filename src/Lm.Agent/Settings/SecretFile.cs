using System.Runtime.InteropServices;
using Lm.Platform.Files;

namespace Lm.Agent.Settings;

/// <summary>Files that hold secrets: who may read them, and what they hold.</summary>
/// <remarks>The rule of design.md section 5: no bits for others, no group write, group read only when root owns the file (0640 root:group).</remarks>
internal static partial class SecretFile
{
    /// <summary>The longest token taken, bytes; a longer file is another file.</summary>
    public const int TokenBytesMax = 4096;

    private const int CurrentDirectory = -100;
    private const uint OwnerAndMode = 0x2 | 0x8; // STATX_MODE | STATX_UID

    /// <summary>Why the file's mode is not good enough; null when it is.</summary>
    public static string? FaultOfMode(string path)
    {
        if (Stat(CurrentDirectory, path, 0, OwnerAndMode, out var stat) != 0)
        {
            return $"{path} cannot be read: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}";
        }

        return FaultOfMode(path, (UnixFileMode)(stat.Mode & 0xFFF), stat.Owner == 0);
    }

    /// <summary>The rule itself.</summary>
    public static string? FaultOfMode(string path, UnixFileMode mode, bool isOwnedByRoot)
    {
        const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var octal = Convert.ToString((int)mode, 8).PadLeft(4, '0');
        if ((mode & Others) != 0)
        {
            return $"{path} has mode {octal}, open to every user; allowed are 0600, or 0640 when root owns it: chmod o= it";
        }

        if ((mode & UnixFileMode.GroupWrite) != 0)
        {
            return $"{path} has mode {octal}, its group may write it; allowed are 0600, or 0640 when root owns it: chmod g-w it";
        }

        return (mode & UnixFileMode.GroupRead) != 0 && !isOwnedByRoot
            ? $"{path} has mode {octal}, its group may read it though root does not own it; allowed are 0600, or 0640 when root owns it"
            : null;
    }

    /// <summary>Reads a token file: one line of printable ASCII.</summary>
    /// <returns>Null and a fault that never shows the content.</returns>
    public static Secret? ReadToken(string path, out string fault)
    {
        if (FaultOfMode(path) is { } modeFault)
        {
            fault = modeFault;
            return null;
        }

        byte[]? bytes;
        try
        {
            bytes = AtomicFile.Read(new PhysicalFileSystem(), Path.GetFullPath(path), TokenBytesMax);
        }
        catch (FileSystemException failure)
        {
            fault = $"the token cannot be read: {failure.Message}";
            return null;
        }

        var text = bytes.AsSpan().Trim(" \t\r\n"u8);
        if (text.IsEmpty)
        {
            fault = bytes is null ? $"{path} does not exist" : $"{path} is empty; a token is expected";
            return null;
        }

        if (text.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
        {
            fault = $"{path} holds more than one word or characters beyond printable ASCII; one token alone is expected";
            return null;
        }

        fault = "";
        return new Secret(System.Text.Encoding.ASCII.GetString(text));
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Stat(int directory, string path, int flags, uint mask, out StatBuffer buffer);

    /// <summary>struct statx; source: statx(2).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatBuffer
    {
        [FieldOffset(20)]
        public uint Owner;

        [FieldOffset(28)]
        public ushort Mode;
    }
}
