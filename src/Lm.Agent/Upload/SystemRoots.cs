using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lm.Agent.Upload;

/// <summary>The certificate authorities that this host trusts, read only when a connection without a CA of its own needs them.</summary>
/// <remarks>
/// The runtime reads them all, a megabyte of small pieces, at the first TLS connection, even where a private CA alone is trusted. So it is told of none
/// (<see cref="HideFromRuntime"/>), and they are read here. Files and folders are OpenSSL's: <c>SSL_CERT_FILE</c>, <c>SSL_CERT_DIR</c>, else where distributions put them.
/// </remarks>
internal static partial class SystemRoots
{
    private const string FileVariable = "SSL_CERT_FILE";
    private const string DirectoryVariable = "SSL_CERT_DIR";
    private const string Nowhere = "/dev/null";

    // Where Debian, Red Hat, SUSE and Alpine keep all of them in one file.
    private static readonly string[] Bundles =
        ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

    private static readonly Lock Gate = new(); // guards read
    private static (string? File, string? Directories)? hidden; // what the operator named, from before it was overwritten
    private static (DateTime ChangedAt, X509Certificate2Collection Certificates)? read;

    /// <summary>Keeps the runtime from reading them. To be called before the first TLS connection and before threads start; programs that the agent starts do not see it.</summary>
    public static void HideFromRuntime()
    {
        hidden = Named();
        _ = SetVariable(FileVariable, Nowhere, overwrite: 1);
        _ = SetVariable(DirectoryVariable, Nowhere, overwrite: 1);
    }

    /// <summary>The authorities, as the files have them now.</summary>
    /// <returns>Empty when there is none that can be read: nobody is trusted then.</returns>
    public static X509Certificate2Collection Get()
    {
        var (file, directories) = hidden ?? Named();
        var files = Find(file, directories, out var changedAt);
        lock (Gate)
        {
            if (read is not { } kept || kept.ChangedAt != changedAt)
            {
                read = (changedAt, Read(files));
            }

            return read.Value.Certificates;
        }
    }

    /// <summary>The files to read.</summary>
    /// <param name="namedFile">What <c>SSL_CERT_FILE</c> says; null when it is not set.</param>
    /// <param name="namedDirectories">What <c>SSL_CERT_DIR</c> says: folders with colons between them; null when it is not set.</param>
    /// <param name="changedAt">When one of them, or a folder, changed last.</param>
    internal static List<string> Find(string? namedFile, string? namedDirectories, out DateTime changedAt)
    {
        changedAt = default;
        var files = new List<string>();
        if ((namedFile ?? (namedDirectories is null ? Array.Find(Bundles, File.Exists) : null)) is { } file && File.Exists(file))
        {
            files.Add(file);
        }

        foreach (var directory in (namedDirectories ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                files.AddRange(Directory.GetFiles(directory));
                changedAt = Later(changedAt, Directory.GetLastWriteTimeUtc(directory));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // As OpenSSL does it: a folder that is not there, or closed, has none.
            }
        }

        foreach (var each in files)
        {
            changedAt = Later(changedAt, File.GetLastWriteTimeUtc(each));
        }

        return files;
    }

    /// <summary>Reads PEM files; one that is none, or cannot be read, is passed over, and so is a certificate that is damaged, or was read before.</summary>
    internal static X509Certificate2Collection Read(List<string> files)
    {
        var all = new X509Certificate2Collection();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            try
            {
                ReadInto(all, known, File.ReadAllText(file));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The others count.
            }
        }

        return all;
    }

    // One by one: a bundle of a hundred must not fall for one that is damaged.
    private static void ReadInto(X509Certificate2Collection all, HashSet<string> known, ReadOnlySpan<char> pem)
    {
        while (PemEncoding.TryFind(pem, out var block))
        {
            if (pem[block.Label] is "CERTIFICATE")
            {
                try
                {
                    var certificate = X509Certificate2.CreateFromPem(pem[block.Location]);
                    if (known.Add(certificate.Thumbprint))
                    {
                        all.Add(certificate);
                    }
                    else
                    {
                        certificate.Dispose();
                    }
                }
                catch (CryptographicException)
                {
                    // No certificate: passed over.
                }
            }

            pem = pem[block.Location.End..];
        }
    }

    private static DateTime Later(DateTime one, DateTime other) => one > other ? one : other;

    private static (string? File, string? Directories) Named() =>
        (Environment.GetEnvironmentVariable(FileVariable), Environment.GetEnvironmentVariable(DirectoryVariable));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
