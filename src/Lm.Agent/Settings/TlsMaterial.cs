using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lm.Agent.Settings;

/// <summary>The certificates that the agent talks TLS with.</summary>
internal sealed class TlsMaterial : IDisposable
{
    /// <summary>Nothing of our own: the system's roots, no client certificate.</summary>
    public static readonly TlsMaterial SystemDefault = new() { Roots = null, ClientCertificate = null, ClientChain = [] };

    /// <summary>The private CA's certificates, the only ones trusted then; null for the system's.</summary>
    public required X509Certificate2Collection? Roots { get; init; }

    /// <summary>The client certificate with its key; null for none.</summary>
    public required X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The rest of the client certificate's file: what leads from it to its CA.</summary>
    public required X509Certificate2Collection ClientChain { get; init; }

    /// <summary>Reads the certificates of a PEM file.</summary>
    /// <returns>Null and what is wrong.</returns>
    public static X509Certificate2Collection? ReadCertificates(string path, TimeProvider time, out string fault)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPemFile(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            fault = $"the certificates of {path} cannot be read: {failure.Message}";
            return null;
        }

        if (certificates.Count == 0)
        {
            fault = $"{path} has no certificate; PEM blocks 'BEGIN CERTIFICATE' are expected";
            return null;
        }

        var now = time.GetUtcNow().UtcDateTime;
        if (certificates.All(certificate => certificate.NotAfter.ToUniversalTime() < now))
        {
            fault = $"every certificate of {path} has expired, the first on {certificates[0].NotAfter.ToUniversalTime():yyyy-MM-dd}";
            return null;
        }

        fault = "";
        return certificates;
    }

    /// <summary>Joins a certificate and its private key.</summary>
    /// <returns>Null and what is wrong.</returns>
    public static X509Certificate2? ReadWithKey(string certificatePath, string keyPath, out string fault)
    {
        try
        {
            fault = "";
            return X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            fault = $"{keyPath} or {certificatePath} cannot be read: {failure.Message}";
            return null;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            fault = FaultOfKey(File.ReadAllText(keyPath), keyPath, certificatePath);
            return null;
        }
    }

    private static string FaultOfKey(string pem, string keyPath, string certificatePath)
    {
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            return $"{keyPath} has no private key; a PEM block 'BEGIN PRIVATE KEY' is expected";
        }

        return pem.Contains("ENCRYPTED", StringComparison.Ordinal)
            ? $"{keyPath} has an encrypted key, and the agent has no passphrase; a key without one, mode 0600, is expected"
            : $"{keyPath} has no key that belongs to the first certificate of {certificatePath}";
    }

    public void Dispose()
    {
        ClientCertificate?.Dispose();
        foreach (var certificate in (Roots ?? []).Concat(ClientChain))
        {
            certificate.Dispose();
        }
    }
}
