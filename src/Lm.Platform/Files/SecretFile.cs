using System.Runtime.InteropServices;

namespace Lm.Platform.Files;

/// <summary>The rule for files that hold tokens and private keys: no bits for others, no write bit for the group, and the group may read only
/// what root owns (0640 root:group, as installed).</summary>
public static partial class SecretFile
{
    private const uint OtherBits = 0b111;
    private const uint GroupWrite = 0b010_000;
    private const uint GroupRead = 0b100_000;

    /// <summary>What is wrong with the file's mode and what to do; null when it is in order or cannot be looked at (reading it then says why).</summary>
    /// <param name="path">The file; links are followed.</param>
    public static string? FaultOf(string path) =>
        Stat(CurrentDirectory, path, 0, ModeAndOwner, out var found) == 0 ? FaultOf(path, found.Mode, found.Owner) : null;

    /// <summary>The rule itself.</summary>
    /// <param name="path">The name for the message.</param>
    /// <param name="mode">The permission bits.</param>
    /// <param name="owner">The owner's user id.</param>
    public static string? FaultOf(string path, uint mode, uint owner)
    {
        var bits = mode & 0xFFF;
        var shown = Convert.ToString(bits, 8).PadLeft(4, '0');
        if ((bits & OtherBits) != 0)
        {
            return $"{path} has mode {shown}: a secret file must have no bits for others; chmod 0600 it";
        }

        if ((bits & GroupWrite) != 0)
        {
            return $"{path} has mode {shown}: a secret file must not be writable by its group; chmod 0600 it";
        }

        return (bits & GroupRead) != 0 && owner != 0
            ? $"{path} has mode {shown} and belongs to user {owner}: the group may read a secret file only when root owns it; chmod 0600 it or chown it to root"
            : null;
    }

    private const int CurrentDirectory = -100;
    private const uint ModeAndOwner = 0x2 | 0x8; // STATX_MODE | STATX_UID

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Stat(int directory, string path, int flags, uint mask, out Statx found);

    /// <summary>struct statx: the same on every architecture, unlike struct stat.</summary>
    /// <remarks>Source: statx(2).</remarks>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(20)]
        public uint Owner;

        [FieldOffset(28)]
        public ushort Mode;
    }
}
