using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Lm.Collector.Tests.Settings;

/// <summary>A folder with the files that a configuration names: certificates, keys, tokens.</summary>
internal sealed class SettingsFolder : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public SettingsFolder()
    {
        Path = Directory.CreateTempSubdirectory("lm-settings-").FullName;
        Authority = TestCertificates.NewAuthority();
        var server = TestCertificates.NewLeaf(Authority, "localhost");
        Write("ca.pem", Authority.ExportCertificatePem());
        Write("cert.pem", server.ExportCertificatePem());
        Write("key.pem", server.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write("other-key.pem", other.ExportPkcs8PrivateKeyPem());
        Write("query-token", "query-secret\n");
        Write("ingest-tokens.toml", "[[tokens]]\nagent_id = \"a1\"\ntoken = \"token-of-a1\"\n");
        Write("dashboard.toml", "id = \"x\"\ntitle = \"X\"\n");
    }

    public string Path { get; }

    public X509Certificate2 Authority { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Write(string name, string text, UnixFileMode mode = Private)
    {
        using (var file = new FileStream(this[name], new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = Private }))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }

        File.SetUnixFileMode(this[name], mode);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
