using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;

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

    /// <summary>Whether the certificate names the agent.</summary>
    public static bool Name(X509Certificate2 certificate, string agentId) =>
        Known.GetValue(certificate, static known => new ClientNames(known)).names.Contains(agentId);
}
