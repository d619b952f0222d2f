using System.Globalization;
using Lm.Platform.Files;
using Lm.Protocol;

namespace Lm.Agent.Queue;

/// <summary>The directory <c>rejected/</c> in the queue's: frames that the collector refused for good, one file each, the oldest going first.</summary>
internal sealed class RejectedBatches(IFileSystem files, string queueDirectory)
{
    public const int CountMax = 256;
    public const long BytesMax = 32L << 20;

    /// <summary>The directory's name in the queue's.</summary>
    public const string FolderName = "rejected";

    /// <summary>How names of its files end.</summary>
    public const string Ending = ".frame";

    private readonly string directory = Path.Combine(queueDirectory, FolderName);

    /// <summary>How many there are.</summary>
    public int Count => files.Exists(directory) ? files.List(directory).Count(name => name.EndsWith(Ending, StringComparison.Ordinal)) : 0;

    /// <summary>Reads the number that a batch had from its file's name.</summary>
    public static bool TryParseName(string name, out BatchNumber number)
    {
        const int GenerationDigits = 10;
        const int SequenceDigits = 20;
        const int SequenceAt = GenerationDigits + 1;
        number = default;
        if (name.Length < SequenceAt + SequenceDigits || name[GenerationDigits] != '-'
            || !uint.TryParse(name.AsSpan(0, GenerationDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            || !ulong.TryParse(name.AsSpan(SequenceAt, SequenceDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence))
        {
            return false;
        }

        number = new BatchNumber(generation, sequence);
        return true;
    }

    /// <summary>Puts a frame aside durably.</summary>
    /// <param name="queueId">The queue it was refused under.</param>
    /// <param name="number">Its number there.</param>
    /// <param name="code">The collector's problem code.</param>
    /// <param name="frame">Its bytes.</param>
    /// <param name="removed">How many older ones went to make room: those are lost for good.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="FileSystemException">It could not be stored: the batch must stay in the queue.</exception>
    public string Store(QueueId queueId, BatchNumber number, string code, ReadOnlySpan<byte> frame, out int removed)
    {
        files.CreateDirectory(directory);
        // Names sort by age: within a directory the generation and the sequence only grow.
        var name = $"{number.Generation:d10}-{number.Sequence:d20}-{queueId}-{Clean(code)}{Ending}";
        var path = Path.Combine(directory, name);
        AtomicFile.Write(files, path, frame);
        removed = MakeRoom(name);
        return path;
    }

    /// <summary>Deletes the oldest others that are too many. After the new one is there: an older one goes for one that is kept, or not at all.</summary>
    private int MakeRoom(string kept)
    {
        var removed = 0;
        try
        {
            var names = files.List(directory).Where(name => name.EndsWith(Ending, StringComparison.Ordinal)).ToList();
            var sizes = names.ConvertAll(SizeOf);
            var (count, bytes) = (names.Count, sizes.Sum());
            for (var i = 0; i < names.Count && (count > CountMax || bytes > BytesMax); i++)
            {
                if (names[i] == kept)
                {
                    continue;
                }

                files.Delete(Path.Combine(directory, names[i]));
                (removed, count, bytes) = (removed + 1, count - 1, bytes - sizes[i]);
            }
        }
        catch (FileSystemException)
        {
            // The batch is set aside; the next one tries again to make room.
        }

        return removed;
    }

    private long SizeOf(string name)
    {
        using var file = files.Open(Path.Combine(directory, name), writable: false);
        return file.Length;
    }

    // A code comes from the network and becomes part of a file's name.
    private static string Clean(string code)
    {
        const int CodeCharsMax = 40;
        var clean = Array.FindAll(code.ToCharArray(), character => char.IsAsciiLetterLower(character) || character == '_');
        return clean.Length == 0 ? "refused" : new string(clean, 0, Math.Min(clean.Length, CodeCharsMax));
    }
}
