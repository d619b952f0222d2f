using Lm.Agent.Settings;

namespace Lm.Agent.Upload;

/// <summary>Finds, in what TLS reports, that the collector refused this agent's certificate.</summary>
/// <remarks>
/// With TLS 1.3 such a refusal comes after the handshake, as the failure of the first request. OpenSSL tells it as text only:
/// <c>error:0A00045C:SSL routines::tlsv13 alert certificate required</c>. Source: RFC 8446, section 6.2.
/// </remarks>
internal static class TlsAlert
{
    private static readonly string[] AboutCertificates =
    [
        "bad certificate", "unsupported certificate", "certificate revoked", "certificate expired", "certificate unknown", "certificate required",
        "unknown ca", "access denied",
    ];

    /// <summary>What is wrong and what to do; empty when it is something else.</summary>
    public static string Describe(Exception failure, TlsMaterial tls)
    {
        for (var each = failure; each is not null; each = each.InnerException)
        {
            var at = each.Message.IndexOf(" alert ", StringComparison.Ordinal);
            if (at >= 0 && Array.Find(AboutCertificates, name => each.Message.IndexOf(name, at, StringComparison.OrdinalIgnoreCase) > 0) is { } name)
            {
                return tls.ClientCertificate is { } certificate
                    ? $"the collector refuses the client certificate \"{certificate.Subject}\" ({name}): tls_client_cert_file must have one of a CA that the collector's client_ca_file has"
                    : $"the collector asks for a client certificate ({name}): set tls_client_cert_file and tls_client_key_file";
            }
        }

        return "";
    }
}
