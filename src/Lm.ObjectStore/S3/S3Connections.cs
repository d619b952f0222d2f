using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Amazon.Runtime;

namespace Lm.ObjectStore.S3;

/// <summary>The connections to a server: one pool for the store's life, with our own rules of trust. Time is limited by each request.</summary>
internal sealed class S3Connections : HttpClientFactory, IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    // So that a change of the name's addresses is followed.
    private static readonly TimeSpan LifetimeMax = TimeSpan.FromMinutes(10);

    private readonly HttpClient client;

    public S3Connections(X509Certificate2Collection? trustedRoots)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a redirected request would have to be signed anew
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = LifetimeMax,
            UseCookies = false,
            UseProxy = false,
        };
        if (trustedRoots is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(trustedRoots);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        client = new HttpClient(new PoolThreadHandler(handler)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => client.Dispose();
}
