using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Upload;

/// <summary>Asks a collector, step by step, whether it would take this agent's batches; sends none.</summary>
internal sealed class CollectorProbe(AgentSettings settings, TimeProvider time) : IDisposable
{
    private TlsConnection? connection;

    /// <summary>The addresses that were found.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; private set; } = [];

    /// <summary>When its certificate ends, once there is a connection.</summary>
    public DateTimeOffset CertificateEndsAt => connection?.CertificateEndsAt ?? DateTimeOffset.MaxValue;

    /// <summary>Looks its name up.</summary>
    /// <returns>What is wrong; empty for nothing.</returns>
    public async Task<string> LookUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            Addresses = await Within(TlsConnector.ConnectTimeout, token => Dns.GetHostAddressesAsync(settings.IngestUrl.IdnHost, token), cancellationToken);
            return Addresses.Count > 0 ? "" : "the name has no address";
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException)
        {
            return failure.Message;
        }
    }

    /// <summary>Connects, and checks its certificate.</summary>
    /// <returns>What is wrong; empty for nothing.</returns>
    public async Task<string> ConnectAsync(CancellationToken cancellationToken)
    {
        var connector = new TlsConnector(settings.IngestUrl, settings.Tls, (_, _) => Task.FromResult(Addresses.ToArray()), time);
        try
        {
            connection = await connector.ConnectAsync(cancellationToken);
            return "";
        }
        catch (ConnectException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>Asks for its limits, as this agent and with its token.</summary>
    public async Task<ProbeAnswer> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var sentAt = UnixMillis.Now(time);
            var began = time.GetTimestamp();
            var response = await Within(UploadClient.RequestTimeout, ExchangeAsync, cancellationToken);
            // The collector looked at its clock somewhere between.
            return Read(response, sentAt, time.GetElapsedTime(began) / 2);
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException or TimeoutException)
        {
            var refusal = TlsAlert.Describe(failure, settings.Tls);
            return new ProbeAnswer(null, default, refusal.Length > 0 ? refusal : $"the collector gave no answer: {ExceptionText.Of(failure)}");
        }
    }

    public void Dispose() => connection?.Dispose();

    private async Task<HttpResponse> ExchangeAsync(CancellationToken cancellationToken)
    {
        var over = connection ?? throw new InvalidOperationException("connect first");
        over.Reader.TryBegin();
        await over.WriteAsync(HttpRequestHead.EncodeQuestion(settings.IngestUrl, settings.Token, settings.AgentId), cancellationToken);
        await over.FlushAsync(cancellationToken);
        return await over.Reader.ReadAsync(cancellationToken);
    }

    private static ProbeAnswer Read(HttpResponse response, UnixMillis sentAt, TimeSpan half)
    {
        if (response.Status == 200)
        {
            return response.IsOf(IngestAck.MediaType) && IngestAck.TryDecode(response.Body, out var ack)
                ? new ProbeAnswer(ack, ack.CollectorTime - sentAt - half, "")
                : new ProbeAnswer(null, default, "something answers there that is no lm-collector: see ingest_url");
        }

        var (code, detail) = ProblemDocument.Read(response);
        var what = response.Status switch
        {
            401 => "the collector does not know the token: put the one of its token table into auth_token_file",
            403 => "the token, or the client certificate, is another agent's: see agent_id and auth_token_file",
            404 => "the address is no ingest listener of an lm-collector of this version: see ingest_url",
            _ => "the collector refuses",
        };
        return new ProbeAnswer(null, default, $"{what} ({response.Status}{(code.Length > 0 ? " " + code : "")}{(detail.Length > 0 ? ": " + detail : "")})");
    }

    private async Task<T> Within<T>(TimeSpan within, Func<CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(within, time);
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

/// <summary>What a collector answered.</summary>
/// <param name="Ack">Its limits and clock; null when it refused.</param>
/// <param name="Skew">How far its clock is ahead of this host's, as far as that can be told: half the time of the answer is uncertain.</param>
/// <param name="Fault">Why there is no answer, and what to do.</param>
internal sealed record ProbeAnswer(IngestAck? Ack, TimeSpan Skew, string Fault);
