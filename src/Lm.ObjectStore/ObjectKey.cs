using System.Buffers;

namespace Lm.ObjectStore;

/// <summary>What a key may be.</summary>
/// <remarks>Narrower than S3, so that a key is a path of files, too, is written in URLs as it is, and has one order everywhere: names of ASCII letters, digits and
/// <c>- _ . = + @ :</c>, joined by slashes; no name is empty, begins with a dot, or has more than 200 characters; 900 characters in all.</remarks>
public static class ObjectKey
{
    /// <summary>The most characters of a key.</summary>
    public const int LengthMax = 900;

    private const int NameLengthMax = 200; // a file name has 255 bytes, and a temporary one is a little longer than the object's

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+@:");

    /// <summary>What is wrong with a key.</summary>
    /// <returns>Null when nothing is.</returns>
    public static string? Fault(string key)
    {
        if (key.Length is 0 or > LengthMax)
        {
            return $"it has {key.Length} characters; 1 to {LengthMax} are allowed";
        }

        foreach (var range in key.AsSpan().Split('/'))
        {
            var name = key.AsSpan(range);
            if (name.Length is 0 or > NameLengthMax || name[0] == '.')
            {
                return $"its part \"{name}\" has {name.Length} characters; 1 to {NameLengthMax} are allowed, no '.' first";
            }

            if (name.ContainsAnyExcept(Allowed))
            {
                return $"its part \"{name}\" has other characters than ASCII letters, digits, and - _ . = + @ :";
            }
        }

        return null;
    }

    internal static void Check(string key)
    {
        if (Fault(key) is { } fault)
        {
            throw new ArgumentException($"the object key \"{key}\" cannot be used: {fault}", nameof(key));
        }
    }
}
