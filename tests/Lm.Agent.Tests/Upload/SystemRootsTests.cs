using Lm.Agent.Upload;

namespace Lm.Agent.Tests.Upload;

/// <summary>The host's own authorities are found where OpenSSL finds them.</summary>
public sealed class SystemRootsTests : IDisposable
{
    private readonly TestAuthority one = new("one");
    private readonly TestAuthority two = new("two");
    private readonly DirectoryInfo scratch = Directory.CreateTempSubdirectory("lm-roots-");

    public void Dispose()
    {
        one.Dispose();
        two.Dispose();
        scratch.Delete(recursive: true);
    }

    [Fact]
    public void A_named_file_is_read_and_nothing_else()
    {
        var file = Write("bundle.pem", one, two);

        Assert.Equal([file], SystemRoots.Find(file, null, out var changedAt));
        Assert.Equal(File.GetLastWriteTimeUtc(file), changedAt);
        Assert.Equal([one.Certificate.Thumbprint, two.Certificate.Thumbprint], SystemRoots.Read([file]).Select(found => found.Thumbprint));
    }

    [Fact]
    public void Named_folders_are_read_in_their_order_and_no_bundle_beside_them()
    {
        var first = Write("a/one.pem", one);
        var second = Write("b/two.pem", two);

        Assert.Equal([first, second], SystemRoots.Find(null, $"{Path.GetDirectoryName(first)}:{Path.GetDirectoryName(second)}:/nowhere/at/all", out _));
    }

    [Fact]
    public void A_file_that_is_not_there_names_nobody()
    {
        Assert.Empty(SystemRoots.Find("/nowhere/at/all.pem", null, out _));
        Assert.Empty(SystemRoots.Read(["/nowhere/at/all.pem"]));
    }

    [Fact]
    public void What_is_no_certificate_and_what_comes_twice_is_passed_over()
    {
        var damaged = Write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");

        var amid = Write("amid.pem", $"{one.Certificate.ExportCertificatePem()}\n{File.ReadAllText(damaged)}{two.Certificate.ExportCertificatePem()}\n");

        var found = SystemRoots.Read([damaged, Write("one.pem", one), amid]);

        Assert.Equal([one.Certificate.Thumbprint, two.Certificate.Thumbprint], found.Select(certificate => certificate.Thumbprint));
    }

    private string Write(string name, params TestAuthority[] authorities) =>
        Write(name, string.Join('\n', authorities.Select(authority => authority.Certificate.ExportCertificatePem())));

    private string Write(string name, string text)
    {
        var path = Path.Combine(scratch.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var writer = new StreamWriter(path);
        writer.Write(text);
        return path;
    }
}
