using System.Runtime.InteropServices;
using System.Text;

namespace Lm.LoadDriver;

/// <summary>A file that several processes append whole lines to: one <c>write(2)</c> with <c>O_APPEND</c> a line. .NET's own append mode
/// writes at an offset that it keeps, and two writers would overwrite each other.</summary>
internal sealed partial class AppendOnlyFile : IDisposable
{
    private const int WriteOnlyAppendCreate = 0x1 | 0x400 | 0x40 | 0x80000; // O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC

    private readonly int descriptor;

    public AppendOnlyFile(string path)
    {
        descriptor = Open(path, WriteOnlyAppendCreate, 0x1A4);
        if (descriptor < 0)
        {
            throw new IOException($"{path}: cannot be opened for appending, error {Marshal.GetLastPInvokeError()}");
        }
    }

    public void WriteLine(string line) => Write(Encoding.UTF8.GetBytes(line + "\n"));

    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (Write(descriptor, bytes, bytes.Length) != bytes.Length)
        {
            throw new IOException($"{bytes.Length} bytes could not be appended, error {Marshal.GetLastPInvokeError()}");
        }
    }

    public void Dispose() => _ = Close(descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
