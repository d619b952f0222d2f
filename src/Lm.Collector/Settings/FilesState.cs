using System.Globalization;
using System.Text;

namespace Lm.Collector.Settings;

/// <summary>What a list of files and folders looks like from outside: a change of any of them changes the text.</summary>
internal static class FilesState
{
    /// <summary>Times, sizes and link targets of the files, names of the folders' entries.</summary>
    public static string Of(IEnumerable<string> paths)
    {
        var state = new StringBuilder();
        foreach (var path in paths)
        {
            try
            {
                Append(state, path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                state.Append("unreadable\n");
            }
        }

        return state.ToString();
    }

    private static void Append(StringBuilder state, string path)
    {
        if (Directory.Exists(path))
        {
            foreach (var entry in Directory.EnumerateFiles(path, "*.toml").Order(StringComparer.Ordinal))
            {
                state.Append(entry).Append('|');
            }

            state.Append('\n');
            return;
        }

        // The target's, where it is a link: that is how certificates are often replaced.
        var file = new FileInfo(path);
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        state.Append(target.FullName).Append('|');
        if (target.Exists)
        {
            state.Append(CultureInfo.InvariantCulture, $"{target.LastWriteTimeUtc.Ticks}|{target.Length}|{target.UnixFileMode}");
        }

        state.Append('\n');
    }
}
