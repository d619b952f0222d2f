using System.Runtime.InteropServices;

namespace Lm.Platform;

/// <summary>A decompression context, freed when its thread is gone.</summary>
internal sealed unsafe class ZstdDecoder() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    public static ZstdDecoder Create()
    {
        var decoder = new ZstdDecoder();
        decoder.SetHandle(LibZstd.CreateDecompressor());
        return decoder.IsInvalid ? throw new InsufficientMemoryException("libzstd could not allocate a decompression context") : decoder;
    }

    /// <returns>Bytes written, or an error code, which is larger than any size.</returns>
    public nuint Decompress(byte* to, nuint capacity, byte* from, nuint size)
    {
        var result = LibZstd.Decompress(handle, to, capacity, from, size);
        GC.KeepAlive(this);
        return result;
    }

    protected override bool ReleaseHandle()
    {
        _ = LibZstd.FreeDecompressor(handle);
        return true;
    }
}
