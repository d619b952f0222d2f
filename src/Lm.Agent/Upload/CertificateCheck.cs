using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Settings;

namespace Lm.Agent.Upload;

/// <summary>Takes the runtime's verdict on a collector's certificate, never another one, and says in words what is wrong and who can mend it.</summary>
/// <remarks>One for each handshake.</remarks>
internal sealed class CertificateCheck(Uri url, TlsMaterial tls, TimeProvider time)
{
    private const X509ChainStatusFlags OutOfTime = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotTimeNested;
    private const X509ChainStatusFlags Unvouched = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;
    private const int NameLengthMax = 200;

    /// <summary>What is wrong; empty when nothing is, or no certificate was looked at.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>A <see cref="RemoteCertificateValidationCallback"/>.</summary>
    public bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        using var shown = certificate is null ? null : new X509Certificate2(certificate);
        Fault = shown is null ? "it shows no certificate" : Describe(shown, chain, errors);
        return false;
    }

    private string Describe(X509Certificate2 shown, X509Chain? chain, SslPolicyErrors errors)
    {
        var status = X509ChainStatusFlags.NoError;
        foreach (var each in chain?.ChainStatus ?? [])
        {
            status |= each.Status;
        }

        var faults = new List<string>(3);
        if ((status & OutOfTime) != 0)
        {
            faults.Add(DescribeTime(shown, chain!));
        }

        if ((status & Unvouched) != 0)
        {
            faults.Add(tls.Roots is null
                ? $"no CA that this system trusts signed it (issuer {Short(shown.Issuer)}): set tls_ca_cert_file to the CA of the collector"
                : $"no CA of tls_ca_cert_file signed it (issuer {Short(shown.Issuer)}): put the CA of the collector there, or give the collector the whole chain as cert_file");
        }

        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            faults.Add($"it does not name {url.IdnHost}, the host of ingest_url, but {NamesOf(shown)}: use such a name there, or a certificate for this one");
        }

        var others = status & ~(OutOfTime | Unvouched);
        if (others != 0 || faults.Count == 0)
        {
            faults.Add($"it cannot be used ({(others != 0 ? others.ToString() : errors.ToString())}): give the collector another one");
        }

        return $"the collector's certificate {Short(shown.Subject)} is refused: {string.Join("; ", faults)}";
    }

    private string DescribeTime(X509Certificate2 shown, X509Chain chain)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var culprit = shown;
        foreach (var element in chain.ChainElements)
        {
            if (now < element.Certificate.NotBefore.ToUniversalTime() || now > element.Certificate.NotAfter.ToUniversalTime())
            {
                culprit = element.Certificate;
                break;
            }
        }

        var whose = culprit.Thumbprint == shown.Thumbprint ? "it" : $"its CA {Short(culprit.Subject)}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{whose} is valid from {culprit.NotBefore.ToUniversalTime():u} to {culprit.NotAfter.ToUniversalTime():u}, and the clock here says {now:u}: renew it, or set the clock");
    }

    private static string NamesOf(X509Certificate2 shown)
    {
        var names = new List<string>();
        foreach (var extension in shown.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension alternatives)
            {
                names.AddRange(alternatives.EnumerateDnsNames());
                names.AddRange(alternatives.EnumerateIPAddresses().Select(address => address.ToString()));
            }
        }

        return names.Count == 0 ? "no host at all" : Short(string.Join(", ", names));
    }

    // What it says came from the network: no more of it in a log line than helps.
    private static string Short(string text)
    {
        var clean = Array.ConvertAll(text.ToCharArray(0, Math.Min(text.Length, NameLengthMax)), character => char.IsControl(character) ? '?' : character);
        return $"\"{new string(clean)}\"";
    }
}
