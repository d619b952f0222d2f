using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lm.Agent.Tests.Upload;

/// <summary>A throw-away CA and what it signs.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly DateTimeOffset Begin = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly DateTimeOffset End = DateTimeOffset.UnixEpoch.AddYears(100);

    private readonly List<X509Certificate2> issued = [];

    public TestAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        Certificate = request.CreateSelfSigned(Begin, End);
    }

    private TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    /// <summary>A CA that this one vouches for.</summary>
    public TestAuthority IssueAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var signed = request.Create(Certificate, Begin, End, RandomNumberGenerator.GetBytes(8));
        return new TestAuthority(signed.CopyWithPrivateKey(key));
    }

    /// <summary>A certificate for a host or a client.</summary>
    /// <param name="name">Its CN and DNS name.</param>
    /// <param name="years">How long it is valid, from 2021 on.</param>
    /// <param name="issuerUrl">Where it says that its issuer can be downloaded; null for nowhere.</param>
    public X509Certificate2 Issue(string name, int years = 40, string? issuerUrl = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        if (issuerUrl is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: [issuerUrl], caIssuersUris: [issuerUrl]));
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([issuerUrl]));
        }

        using var signed = request.Create(Certificate, Begin.AddYears(1), Begin.AddYears(1 + years), RandomNumberGenerator.GetBytes(8));
        issued.Add(signed.CopyWithPrivateKey(key));
        return issued[^1];
    }

    public void Dispose()
    {
        Certificate.Dispose();
        issued.ForEach(certificate => certificate.Dispose());
    }
}
