using System.Globalization;
using Lm.Toml;

namespace Lm.Collector.Settings;

/// <summary>Reads <c>cert_file</c> and <c>key_file</c> of a TLS table.</summary>
internal static class CertificateReader
{
    /// <summary>Reads both files.</summary>
    /// <returns>Null when something is wrong; the faults say what.</returns>
    public static ServerCertificate? Read(TomlTable table, string? missingCertificate, string? missingKey, SettingsReading reading)
    {
        var certificateFile = reading.ReadFile(table, "cert_file", missingCertificate, isSecret: false);
        var keyFile = reading.ReadFile(table, "key_file", missingKey, isSecret: true);
        if (certificateFile is null || keyFile is null)
        {
            return null;
        }

        var certificate = ServerCertificate.TryRead(certificateFile.Text, keyFile.Text, out var certificateFault, out var keyFault);
        if (certificateFault is not null)
        {
            table.Fault("cert_file", $"cert_file: {certificateFile.Path} {certificateFault}");
        }

        if (keyFault is not null)
        {
            table.Fault("key_file", $"key_file: {keyFile.Path} {keyFault}");
        }

        if (certificate is not null)
        {
            WarnOfDates(certificate, certificateFile.Path, reading);
        }

        return certificate;
    }

    // No fault: a collector that refuses to start over an expired certificate helps nobody, and agents say clearly why they do not connect.
    private static void WarnOfDates(ServerCertificate certificate, string path, SettingsReading reading)
    {
        var now = reading.Time.GetUtcNow();
        var (from, until) = (new DateTimeOffset(certificate.Leaf.NotBefore), new DateTimeOffset(certificate.Leaf.NotAfter));
        if (now > until)
        {
            reading.Warn(string.Create(CultureInfo.InvariantCulture, $"the certificate in {path} ended on {until.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: clients will not connect"));
        }
        else if (now < from)
        {
            reading.Warn(string.Create(CultureInfo.InvariantCulture, $"the certificate in {path} begins on {from.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC: clients will not connect before"));
        }
    }
}
