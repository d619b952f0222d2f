using Lm.Platform.Files;

namespace Lm.Agent.Settings;

/// <summary>The file that holds the agent's token.</summary>
internal static class TokenFile
{
    /// <summary>The longest token taken, bytes; a longer file is another file.</summary>
    private const int TokenBytesMax = 4096;

    /// <summary>Reads a token file: one line of printable ASCII.</summary>
    /// <returns>Null and a fault that never shows the content.</returns>
    public static Secret? Read(string path, out string fault)
    {
        if (SecretFile.FaultOf(path) is { } modeFault)
        {
            fault = modeFault;
            return null;
        }

        byte[]? bytes;
        try
        {
            bytes = AtomicFile.Read(new PhysicalFileSystem(), Path.GetFullPath(path), TokenBytesMax);
        }
        catch (FileSystemException failure)
        {
            fault = $"the token cannot be read: {failure.Message}";
            return null;
        }

        var text = bytes.AsSpan().Trim(" \t\r\n"u8);
        if (text.IsEmpty)
        {
            fault = bytes is null ? $"{path} does not exist" : $"{path} is empty; a token is expected";
            return null;
        }

        if (text.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E))
        {
            fault = $"{path} holds more than one word or characters beyond printable ASCII; one token alone is expected";
            return null;
        }

        fault = "";
        return new Secret(System.Text.Encoding.ASCII.GetString(text));
    }
}
