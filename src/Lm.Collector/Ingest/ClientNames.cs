using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Lm.Collector.Settings;
using Microsoft.AspNetCore.Http.Features;

namespace Lm.Collector.Ingest;

/// <summary>The names that a client certificate vouches for: its subject's CN and its DNS SANs. Read once for each connection's certificate.</summary>
internal sealed class ClientNames
{
    private static readonly ConditionalWeakTable<X509Certificate2, ClientNames> Known = [];

    private readonly HashSet<string> names = new(StringComparer.Ordinal);

    private ClientNames(X509Certificate2 certificate)
    {
        if (certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } common)
        {
            names.Add(common);
        }

        foreach (var extension in certificate.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension alternatives)
            {
                names.UnionWith(alternatives.EnumerateDnsNames());
            }
        }
    }

    /// <summary>Why a connection's certificate does not go with the owner of its token; null when it does.</summary>
    public static string? RefusalOf(HttpContext context, string agentId, IngestTls tls)
    {
        if (tls.ClientAuth == ClientAuth.None)
        {
            return null;
        }

        var certificate = context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        if (certificate is null && tls.ClientAuth == ClientAuth.Required)
        {
            return "this connection has no client certificate, which client_auth requires since a reload; connect again";
        }

        return certificate is null || !tls.ClientCertificateBindsAgent || Name(certificate, agentId)
            ? null
            : $"the client certificate names neither in its CN nor in a DNS SAN the agent {agentId} that the token belongs to";
    }

    private static bool Name(X509Certificate2 certificate, string agentId) =>
        Known.GetValue(certificate, static known => new ClientNames(known)).names.Contains(agentId);
}
