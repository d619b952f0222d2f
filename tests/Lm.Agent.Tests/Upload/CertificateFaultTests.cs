using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Lm.Agent.Settings;
using Lm.Agent.Upload;
using static Lm.Agent.Tests.Upload.Uploads;

namespace Lm.Agent.Tests.Upload;

/// <summary>What is said when a certificate is at fault: nothing is sent, and the message tells what, where and what to do.</summary>
public sealed class CertificateFaultTests : IDisposable
{
    private readonly TestAuthority authority = new("root");
    private readonly TestAuthority stranger = new("stranger");

    public void Dispose()
    {
        authority.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public async Task A_collector_of_another_CA_is_named_with_the_setting_to_look_at()
    {
        var reason = await FailAsync(stranger.Issue("localhost"), authority.Certificate);

        Assert.Contains("\"CN=localhost\" is refused: no CA of tls_ca_cert_file signed it (issuer \"CN=stranger\")", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_CA_of_its_own_the_message_says_that_there_can_be_one()
    {
        var reason = await FailAsync(stranger.Issue("localhost"), root: null);

        Assert.Contains("no CA that this system trusts signed it (issuer \"CN=stranger\"): set tls_ca_cert_file", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_told_with_both_names()
    {
        var reason = await FailAsync(authority.Issue("elsewhere"), authority.Certificate);

        Assert.Contains("it does not name localhost, the host of ingest_url, but \"elsewhere\"", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_certificate_is_told_with_its_dates_and_the_clock()
    {
        var reason = await FailAsync(authority.Issue("localhost", years: 1), authority.Certificate);

        Assert.Contains("it is valid from 2021-01-01 00:00:00Z to 2022-01-01 00:00:00Z, and the clock here says ", reason, StringComparison.Ordinal);
        Assert.Contains("renew it, or set the clock", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_certificate_that_the_collector_refuses_is_spoken_of_in_the_failure()
    {
        using var server = new TlsServer(authority.Issue("localhost"), needsClient: true) { IsTaken = _ => false };
        using var client = ClientFor(server.Port, authority.Certificate, authority.Issue("agent"));

        var failed = Assert.IsType<UploadAnswer.Failed>(await SendAsync(client));

        Assert.Contains("client certificate", failed.Reason, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("error:0A00045C:SSL routines::tlsv13 alert certificate required", "certificate required")]
    [InlineData("error:0A000418:SSL routines::tlsv1 alert unknown ca", "unknown ca")]
    [InlineData("error:0A000412:SSL routines::ssl/tls alert bad certificate", "bad certificate")]
    public void An_alert_about_the_client_certificate_says_which_setting_to_mend(string text, string name)
    {
        var failure = new IOException("The decryption operation failed, see inner exception.", new AuthenticationException("failed", new IOException(text)));
        using var own = authority.Issue("agent");

        Assert.Contains(
            $"refuses the client certificate \"CN=agent\" ({name}): tls_client_cert_file",
            TlsAlert.Describe(failure, new TlsMaterial { Roots = null, ClientCertificate = own, ClientChain = [] }), StringComparison.Ordinal);
        Assert.Contains($"asks for a client certificate ({name}): set tls_client_cert_file", TlsAlert.Describe(failure, TlsMaterial.SystemDefault), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error:0A000410:SSL routines::ssl/tls alert handshake failure")]
    [InlineData("certificate required")]
    public void Other_failures_are_not_taken_for_one_of_certificates(string text) =>
        Assert.Equal("", TlsAlert.Describe(new IOException(text), TlsMaterial.SystemDefault));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_certificate_makes_the_agent_ask_the_network_for_its_issuer(bool hasOwnRoots)
    {
        using var intermediate = authority.IssueAuthority("intermediate");
        using var store = new TcpListener(IPAddress.Loopback, 0);
        store.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)store.LocalEndpoint).Port}/";
        using var server = new TlsServer(intermediate.Issue("localhost", issuerUrl: url));
        using var client = ClientFor(
            server.Port, hasOwnRoots ? authority.Certificate : null, intermediate.Issue("agent", issuerUrl: url));

        Assert.IsType<UploadAnswer.Failed>(await SendAsync(client));

        Assert.False(store.Pending());
    }

    private static async Task<string> FailAsync(X509Certificate2 shown, X509Certificate2? root)
    {
        using var server = new TlsServer(shown);
        using var client = ClientFor(server.Port, root);

        var failed = Assert.IsType<UploadAnswer.Failed>(await SendAsync(client));

        Assert.True(failed.NeedsPerson);
        Assert.Empty(server.Requests);
        return failed.Reason;
    }
}
