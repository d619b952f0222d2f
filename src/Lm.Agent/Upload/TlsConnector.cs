using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Settings;

namespace Lm.Agent.Upload;

/// <summary>Opens connections to a collector: asks for its name anew each time and tries the addresses one after the other.</summary>
internal sealed class TlsConnector
{
    /// <summary>How long name, connection and TLS may take together, whatever the number of addresses.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Addresses of a name that are tried; with more of them each would get too little of the time.</summary>
    public const int AddressesMax = 8;

    private readonly Uri url;
    private readonly TlsMaterial tls;
    private readonly TimeProvider time;
    private readonly NameLookup lookUp;
    private readonly SslClientAuthenticationOptions? kept; // null with the system's CAs, which may change while the agent runs

    public TlsConnector(Uri url, TlsMaterial tls, NameLookup lookUp, TimeProvider time)
    {
        (this.url, this.tls, this.lookUp, this.time) = (url, tls, lookUp, time);
        kept = tls.Roots is null ? null : OptionsFor(url, tls);
    }

    /// <summary>Opens a connection.</summary>
    /// <exception cref="ConnectException">No address gave one: why, for each.</exception>
    public async Task<TlsConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var addresses = await FindAddressesAsync(cancellationToken);
        var faults = new List<string>(addresses.Length);
        var needsPerson = false;
        for (var i = 0; i < addresses.Length; i++)
        {
            // An address that swallows packets may not use up the time of those behind it.
            var share = (ConnectTimeout - time.GetElapsedTime(began)) / (addresses.Length - i);
            var check = new CertificateCheck(url, tls, time);
            try
            {
                return await OpenAsync(addresses[i], check, share, cancellationToken);
            }
            catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or TimeoutException)
            {
                var refusal = check.Fault.Length > 0 ? check.Fault : TlsAlert.Describe(failure, tls);
                needsPerson |= refusal.Length > 0;
                faults.Add($"{addresses[i]}: {(refusal.Length > 0 ? refusal : ExceptionText.Of(failure))}");
            }
        }

        throw new ConnectException(string.Join("; ", faults), needsPerson);
    }

    /// <summary>How to talk TLS with these settings.</summary>
    public static SslClientAuthenticationOptions OptionsFor(Uri url, TlsMaterial tls)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = url.IdnHost,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = new X509ChainPolicy
            {
                // Both off with the system's CAs too: what a stranger's certificate names as its issuer's address is never asked.
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                TrustMode = X509ChainTrustMode.CustomRootTrust,
            },
        };
        options.CertificateChainPolicy.CustomTrustStore.AddRange(tls.Roots ?? SystemRoots.Get());
        if (tls.ClientCertificate is { } certificate)
        {
            // With its chain, or a collector that knows only the root could not check it; offline, or building it would ask the network.
            options.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, tls.ClientChain, offline: true);
        }

        return options;
    }

    private async Task<IPEndPoint[]> FindAddressesAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await WithinAsync(ConnectTimeout, token => lookUp(url.IdnHost, token), cancellationToken);
            return found.Length > 0
                ? [.. found.Take(AddressesMax).Select(address => new IPEndPoint(address, url.Port))]
                : throw new ConnectException($"the name {url.IdnHost} has no address", needsPerson: false);
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException)
        {
            throw new ConnectException($"the name {url.IdnHost} could not be looked up ({failure.Message}): see ingest_url and the name service of this host", needsPerson: false);
        }
    }

    private Task<TlsConnection> OpenAsync(IPEndPoint address, CertificateCheck check, TimeSpan within, CancellationToken cancellationToken) =>
        WithinAsync(within, token => TlsConnection.OpenAsync(address, kept ?? OptionsFor(url, tls), check, time, token), cancellationToken);

    private async Task<T> WithinAsync<T>(TimeSpan within, Func<CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(within > TimeSpan.Zero ? within : TimeSpan.Zero, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await act(linked.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"no answer within {within.TotalSeconds:0.#} s");
        }
    }
}

/// <summary>Gives a name's addresses: the resolver, or a test's table.</summary>
internal delegate Task<IPAddress[]> NameLookup(string host, CancellationToken cancellationToken);

/// <summary>No connection came about.</summary>
/// <param name="message">Why, for each address.</param>
/// <param name="needsPerson">Whether a certificate is at fault, here or there: trying again alone will hardly mend it.</param>
internal sealed class ConnectException(string message, bool needsPerson) : IOException(message)
{
    public bool NeedsPerson { get; } = needsPerson;
}
