using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lm.Collector.Settings;

/// <summary>A listener's certificate with its private key and the certificates between it and a root.</summary>
/// <param name="Leaf">The certificate, with its key.</param>
/// <param name="Chain">The others of the file.</param>
internal sealed record ServerCertificate(X509Certificate2 Leaf, X509Certificate2Collection Chain)
{
    /// <summary>Reads the PEM texts of a certificate file and a key file.</summary>
    /// <param name="certificatePem">The leaf first, then the others.</param>
    /// <param name="keyPem">Its key, not encrypted.</param>
    /// <param name="certificateFault">What is wrong with the certificate file; null when nothing is.</param>
    /// <param name="keyFault">What is wrong with the key file.</param>
    /// <returns>Null when something is wrong.</returns>
    public static ServerCertificate? TryRead(string certificatePem, string keyPem, out string? certificateFault, out string? keyFault)
    {
        keyFault = null;
        var all = TryReadAll(certificatePem, out certificateFault);
        if (all is null)
        {
            return null;
        }

        try
        {
            var leaf = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            all[0].Dispose();
            all.RemoveAt(0);
            return new ServerCertificate(leaf, all);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            keyFault = FaultOfKey(keyPem, all[0].Subject);
            return null;
        }
    }

    private static string FaultOfKey(string pem, string subject)
    {
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            return "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)";
        }

        return pem.Contains("ENCRYPTED", StringComparison.Ordinal)
            ? "holds an encrypted key; the collector has no passphrase: give a key without one, mode 0600"
            : $"holds no private key that matches the first certificate of cert_file ({subject})";
    }

    /// <summary>Reads every certificate of a PEM text.</summary>
    /// <returns>Null when there is none or one cannot be read.</returns>
    public static X509Certificate2Collection? TryReadAll(string pem, out string? fault)
    {
        fault = null;
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            fault = $"holds a certificate that cannot be read: {e.Message}";
            return null;
        }

        if (all.Count == 0)
        {
            fault = "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
            return null;
        }

        return all;
    }
}
