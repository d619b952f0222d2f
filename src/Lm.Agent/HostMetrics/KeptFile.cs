using System.Text;

namespace Lm.Agent.HostMetrics;

/// <summary>A file of /proc or /sys that is read at every tick; it stays open where that is possible.</summary>
/// <param name="root">Where it is.</param>
/// <param name="path">Its path relative to the root.</param>
/// <param name="isOneRead">Whether the kernel makes the file in one piece, so that one read gets all; otherwise it is read to its end.</param>
internal sealed class KeptFile(ProcFs root, string path, bool isOneRead = false) : IDisposable
{
    private readonly byte[] path = Encoding.UTF8.GetBytes(path);
    private int descriptor = -1;

    /// <summary>Its name, for messages.</summary>
    public string Name => root.NameOf(path);

    /// <summary>Reads it.</summary>
    /// <param name="text">Its bytes, until anything else is read under the same root; empty after an error.</param>
    /// <returns>0, or the error number.</returns>
    public int Read(out ReadOnlySpan<byte> text) => root.ReadKept(path, ref descriptor, isOneRead, out text);

    /// <inheritdoc/>
    public void Dispose() => root.Release(ref descriptor);
}
