using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Lm.Agent.HostMetrics;

/// <summary>A name as the kernel gives it, kept as bytes: a process's or an interface's. Longer ones are cut at <see cref="BytesMax"/>.</summary>
internal struct KernelName
{
    /// <summary>Bytes kept: the kernel's own workers have names of up to 63, programs of 15, interfaces of 15.</summary>
    public const int BytesMax = 64;

    private NameBytes bytes;
    private byte length;

    /// <summary>Keeps a name.</summary>
    /// <param name="name">The name.</param>
    public KernelName(ReadOnlySpan<byte> name)
    {
        var kept = name.Length > BytesMax ? name[..BytesMax] : name;
        kept.CopyTo(bytes);
        length = (byte)kept.Length;
    }

    /// <summary>The name; valid while the struct stays where it is.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => ((ReadOnlySpan<byte>)bytes)[..length];

    [InlineArray(BytesMax)]
    private struct NameBytes
    {
        private byte first;
    }
}
