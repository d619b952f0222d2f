using System.Runtime.CompilerServices;

namespace Lm.TestKit;

/// <summary>The bytes that pin a format down, from <c>tests/fixtures/golden/</c>.</summary>
public static class GoldenFile
{
    /// <summary>A file of hexadecimal digits, as one lower-case text.</summary>
    /// <param name="name">Its path below the golden files' folder.</param>
    /// <param name="here">Left out: this source file's path.</param>
    public static string ReadHex(string name, [CallerFilePath] string here = "") =>
        string.Concat(File.ReadAllText(PathOf(name, here)).Where(char.IsAsciiHexDigit)).ToLowerInvariant();

    /// <summary>A file's bytes.</summary>
    /// <param name="name">Its path below the golden files' folder.</param>
    /// <param name="here">Left out: this source file's path.</param>
    public static byte[] Read(string name, [CallerFilePath] string here = "") => File.ReadAllBytes(PathOf(name, here));

    private static string PathOf(string name, string here)
    {
        for (var folder = Directory.GetParent(here); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "tests/fixtures/golden", name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException($"no tests/fixtures/golden/{name} above {here}");
    }
}
