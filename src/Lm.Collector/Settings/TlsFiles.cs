namespace Lm.Collector.Settings;

/// <summary>The certificate of a listener.</summary>
/// <param name="CertificateFile">PEM: the listener's certificate first, then the ones between it and a root.</param>
/// <param name="KeyFile">PEM: its private key, not encrypted; a secret file.</param>
internal sealed record TlsFiles(string CertificateFile, string KeyFile);
