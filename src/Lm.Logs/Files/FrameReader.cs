using Lm.Platform;
using Lm.Platform.Files;

namespace Lm.Logs.Files;

/// <summary>Reads frames, one after another, into the same memory.</summary>
/// <remarks>For one thread.</remarks>
/// <param name="roomUsual">Bytes of a usual frame's lines: there is room for some more from the first one on.</param>
internal sealed class FrameReader(int roomUsual = FrameMaker.SealedSizeTarget)
{
    // A frame of lines of the usual size; what a giant line made larger is given back behind it.
    private const int KeptMax = 4 << 20;

    private byte[] stored = [];

    /// <summary>The frame's lines, as many bytes as its index says; more may stand behind them.</summary>
    public byte[] Raw { get; private set; } = [];

    /// <summary>Reads a frame.</summary>
    /// <param name="file">The file; not used where the bytes are given.</param>
    /// <param name="info">The frame.</param>
    /// <param name="bytes">Its bytes, when they are in memory.</param>
    /// <returns>False when it is damaged.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public bool TryRead(IFileHandle? file, FrameInfo info, byte[]? bytes)
    {
        Fit();
        if (bytes is null)
        {
            stored = Fit(stored, info.Size, roomUsual / 4); // lines compress to less
            if (file!.Read(info.Offset, stored.AsSpan(0, info.Size)) != info.Size)
            {
                return false;
            }
        }

        var frame = bytes ?? stored.AsSpan(0, info.Size);
        Raw = Fit(Raw, info.RawSize, roomUsual);
        return Crc32C.Compute(frame) == info.Checksum && Zstd.TryDecompress(frame, Raw.AsSpan(0, info.RawSize));
    }

    private void Fit()
    {
        stored = stored.Length > KeptMax ? [] : stored;
        Raw = Raw.Length > KeptMax ? [] : Raw;
    }

    private static byte[] Fit(byte[] array, int size, int usual) =>
        array.Length >= size ? array : GC.AllocateUninitializedArray<byte>(Math.Max(size, usual + (usual / 8)));
}
