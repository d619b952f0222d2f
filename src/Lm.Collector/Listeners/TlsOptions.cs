using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lm.Collector.Settings;

namespace Lm.Collector.Listeners;

/// <summary>Makes the TLS options of a listener from its certificate: made once for each load of the settings, used for every handshake.</summary>
internal static class TlsOptions
{
    /// <summary>The ingest listener's.</summary>
    public static SslServerAuthenticationOptions For(IngestTls tls)
    {
        var options = For(tls.Certificate);
        if (tls.ClientAuth == ClientAuth.None)
        {
            return options;
        }

        options.ClientCertificateRequired = true; // asked for; whether one must come is the callback's answer
        options.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, // the operator's CA alone, never the system's
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(tls.ClientRoots);
        var isOptional = tls.ClientAuth == ClientAuth.Optional;
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            certificate is null ? isOptional : errors == SslPolicyErrors.None;
        return options;
    }

    /// <summary>A listener's that asks for no client certificate.</summary>
    public static SslServerAuthenticationOptions For(ServerCertificate certificate) => new()
    {
        // Offline: what the file does not have is not fetched from the network.
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate.Leaf, certificate.Chain, offline: true),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        AllowRenegotiation = false,
    };
}
