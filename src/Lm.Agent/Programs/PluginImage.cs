using System.Security.Cryptography;
using Lm.Agent.Settings;
using Lm.Platform.Files;
using Lm.Platform.Processes;

namespace Lm.Agent.Programs;

/// <summary>Reads a plug-in's program and verifies it.</summary>
internal static class PluginImage
{
    /// <summary>Bytes of a program.</summary>
    public const int ProgramBytesMax = 64 << 20;

    private const int SignatureBytesMax = 1024;

    /// <summary>Loads it.</summary>
    /// <param name="settings">Which program, and what it must be.</param>
    /// <param name="fault">What is wrong, when the result is null.</param>
    /// <returns>The verified bytes, ready to be started.</returns>
    public static ProgramImage? TryLoad(PluginSettings settings, out string fault)
    {
        var files = new PhysicalFileSystem();
        var path = settings.Program.Path;
        try
        {
            if (!FollowedFile.TryLookAt(path, out var facts) || !facts.IsRegular)
            {
                fault = $"{path} is no file";
                return null;
            }

            if (AtomicFile.Read(files, path, ProgramBytesMax) is not { Length: > 0 } program)
            {
                fault = $"{path} is empty or not there any more";
                return null;
            }

            fault = FaultOf(program, settings, files);
            return fault.Length == 0 ? ProgramImage.TryMake(program, out fault) : null;
        }
        catch (FileSystemException failure)
        {
            fault = failure.Message;
            return null;
        }
    }

    private static string FaultOf(byte[] program, PluginSettings settings, PhysicalFileSystem files)
    {
        if (settings.Sha256 is { } expected)
        {
            var found = SHA256.HashData(program);
            return CryptographicOperations.FixedTimeEquals(found, expected)
                ? ""
                : $"{settings.Program.Path} has the SHA-256 {Convert.ToHexStringLower(found)}, not the one of the configuration: it is not started";
        }

        if (AtomicFile.Read(files, settings.SignatureFile, SignatureBytesMax) is not { } signature)
        {
            return $"there is no {settings.SignatureFile}: {settings.Program.Path} is not started without a signature";
        }

        return settings.PublicKey!.VerifyData(program, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
            ? ""
            : $"{settings.SignatureFile} is no signature of {settings.Program.Path} by the key of public_key_file: it is not started";
    }
}
