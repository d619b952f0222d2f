using System.Net;
using System.Net.Sockets;
using Lm.Agent.Upload;
using Lm.TestKit;
using static Lm.Agent.Tests.Upload.Uploads;

namespace Lm.Agent.Tests.Upload;

/// <summary>When a connection is made anew, and with which address of the collector's name.</summary>
public sealed class ConnectionTests : IDisposable
{
    private static readonly IPAddress First = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Second = IPAddress.Parse("127.0.0.2");

    private readonly TestAuthority authority = new("root");
    private readonly ManualTime time = new();

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task A_connection_that_was_closed_while_idle_is_replaced_without_a_failure()
    {
        using var server = new TlsServer(authority.Issue("localhost")) { AnswersPerConnection = 1 };
        using var client = ClientFor(server.Port, authority.Certificate, time: time);
        server.Answers.Enqueue(TlsServer.Ok());
        server.Answers.Enqueue(TlsServer.Ok());
        await SendAsync(client);

        var answer = await SendAsync(client);

        Assert.IsType<UploadAnswer.Acknowledged>(answer);
        Assert.Equal(2, server.ConnectionCount);
    }

    [Fact]
    public async Task An_answer_that_no_request_asked_for_is_not_taken_for_the_next_ones()
    {
        using var server = new TlsServer(authority.Issue("localhost")) { AnswersPerConnection = 1 };
        using var client = ClientFor(server.Port, authority.Certificate, time: time);
        server.Answers.Enqueue([.. TlsServer.Ok(), .. "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"u8]);
        server.Answers.Enqueue(TlsServer.Ok());
        await SendAsync(client);

        var answer = await SendAsync(client);

        Assert.IsNotType<UploadAnswer.Refused>(answer);
    }

    [Fact]
    public async Task After_ten_minutes_the_name_is_looked_up_anew_and_its_new_address_used()
    {
        using var old = new TlsServer(authority.Issue("localhost"), address: new IPEndPoint(First, 0));
        using var moved = new TlsServer(authority.Issue("localhost"), address: new IPEndPoint(Second, old.Port));
        var address = First;
        using var client = ClientFor(old.Port, authority.Certificate, time: time, lookUp: (_, _) => Task.FromResult<IPAddress[]>([address]));
        old.Answers.Enqueue(TlsServer.Ok());
        old.Answers.Enqueue(TlsServer.Ok());
        moved.Answers.Enqueue(TlsServer.Ok());
        await SendAsync(client);
        address = Second;

        time.Advance(UploadClient.ConnectionLifeMax - TimeSpan.FromSeconds(1));
        await SendAsync(client);
        Assert.Equal((1, 2, 0), (old.ConnectionCount, old.Requests.Count, moved.ConnectionCount));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.IsType<UploadAnswer.Acknowledged>(await SendAsync(client));

        Assert.Equal((1, 2, 1), (old.ConnectionCount, old.Requests.Count, moved.ConnectionCount));
    }

    [Fact]
    public async Task An_address_that_refuses_leaves_the_next_one_to_be_tried()
    {
        using var server = new TlsServer(authority.Issue("localhost"), address: new IPEndPoint(Second, 0));
        using var client = ClientFor(server.Port, authority.Certificate, time: time, lookUp: (_, _) => Task.FromResult<IPAddress[]>([First, Second]));
        server.Answers.Enqueue(TlsServer.Ok());

        Assert.IsType<UploadAnswer.Acknowledged>(await SendAsync(client));
    }

    [Fact]
    public async Task An_address_that_never_answers_uses_up_its_share_of_the_time_only()
    {
        using var server = new TlsServer(authority.Issue("localhost"), address: new IPEndPoint(Second, 0));
        using var silent = new TcpListener(First, server.Port);
        silent.Start();
        using var client = ClientFor(server.Port, authority.Certificate, time: time, lookUp: (_, _) => Task.FromResult<IPAddress[]>([First, Second]));
        server.Answers.Enqueue(TlsServer.Ok());

        var sending = SendAsync(client);
        Assert.Equal(0, server.ConnectionCount);
        time.Advance(TlsConnector.ConnectTimeout / 2);

        Assert.IsType<UploadAnswer.Acknowledged>(await sending);
    }

    [Fact]
    public async Task When_no_address_works_each_is_named_with_its_reason()
    {
        using var foreign = new TestAuthority("other");
        using var server = new TlsServer(foreign.Issue("localhost"), address: new IPEndPoint(Second, 0));
        using var client = ClientFor(server.Port, authority.Certificate, time: time, lookUp: (_, _) => Task.FromResult<IPAddress[]>([First, Second]));

        var failed = Assert.IsType<UploadAnswer.Failed>(await SendAsync(client));

        Assert.Contains($"{First}:{server.Port}: ", failed.Reason, StringComparison.Ordinal);
        Assert.Contains($"{Second}:{server.Port}: the collector's certificate", failed.Reason, StringComparison.Ordinal);
        Assert.True(failed.NeedsPerson);
    }

    [Fact]
    public async Task A_name_that_cannot_be_looked_up_is_a_failure_that_passes()
    {
        using var client = ClientFor(1, authority.Certificate, time: time, lookUp: (_, _) => throw new SocketException((int)SocketError.HostNotFound));
        using var empty = ClientFor(1, authority.Certificate, time: time, lookUp: (_, _) => Task.FromResult<IPAddress[]>([]));

        Assert.Contains("localhost could not be looked up", Assert.IsType<UploadAnswer.Failed>(await SendAsync(client)).Reason, StringComparison.Ordinal);
        Assert.Contains("localhost has no address", Assert.IsType<UploadAnswer.Failed>(await SendAsync(empty)).Reason, StringComparison.Ordinal);
    }
}
