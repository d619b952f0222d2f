using System.Text;
using Lm.Agent.Queue;
using Lm.Agent.Settings;

namespace Lm.Agent.LogTail;

/// <summary>How many more files may be followed: every segment of the queue begins with the offsets of all.</summary>
internal sealed class TailRoom
{
    /// <summary>The most files of all inputs, however large the queue is.</summary>
    public const int FilesMax = 4096;

    private int files = FilesMax;
    private long bytes;

    /// <param name="bytesMax">Bytes that their offsets may take in the queue.</param>
    /// <param name="sets">What is followed already.</param>
    public TailRoom(long bytesMax, IReadOnlyList<TailSet> sets)
    {
        bytes = bytesMax;
        foreach (var set in sets)
        {
            foreach (var path in set.PathsInHand)
            {
                Take(set.Input, path);
            }
        }
    }

    /// <summary>Takes the room that one more file needs.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryTake(LogInput input, string path)
    {
        if (files <= 0 || bytes < SizeOf(input, path))
        {
            return false;
        }

        Take(input, path);
        return true;
    }

    private void Take(LogInput input, string path) => (files, bytes) = (files - 1, bytes - SizeOf(input, path));

    private static long SizeOf(LogInput input, string path) => TailOffsetCodec.FixedSize + input.Name.Length + Encoding.UTF8.GetByteCount(path);
}
