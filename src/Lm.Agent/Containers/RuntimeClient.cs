using System.Net.Sockets;
using Lm.Agent.HostMetrics;
using Lm.Agent.Upload;

namespace Lm.Agent.Containers;

/// <summary>Asks a runtime for its containers: the list in each round, and of some of them what only their own page has.</summary>
/// <remarks>
/// Source: Docker's Engine API, <c>GET /containers/json</c> and <c>GET /containers/{id}/json</c>, without a version in the path, so that Docker and Podman answer in
/// their own. Nothing is ever changed there. What is known of a container is kept by its id: its name and image stay what they were first, so that no answer makes new series
/// of a container that is there. Not safe for concurrent use: one round at a time.
/// </remarks>
internal sealed class RuntimeClient(string socketPath, TimeProvider time)
{
    /// <summary>The longest round.</summary>
    public static readonly TimeSpan RoundMax = TimeSpan.FromSeconds(5);

    /// <summary>How long one container's page is waited for.</summary>
    public static readonly TimeSpan PageMax = TimeSpan.FromSeconds(1);

    /// <summary>Containers whose own page is asked for in one round: those that are new or may have been started again first, then those that were asked longest ago.</summary>
    public const int PagesPerRoundMax = 32;

    private const int Gone = 404;
    private const int Busy = 409; // being removed

    private readonly Dictionary<string, Known> known = new(StringComparer.Ordinal);
    private readonly List<ListedContainer> listed = [];
    private long round;

    /// <summary>Asks once. Never throws for what the world does.</summary>
    public async Task<RuntimeAnswer> AskAsync(CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(RoundMax, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping);
        var (fault, omitted) = ("", 0);
        try
        {
            using var connection = new RuntimeConnection(socketPath);
            omitted = await ListAsync(connection, linked.Token);
            fault = await AskPagesAsync(connection, linked.Token);
        }
        catch (OperationCanceledException)
        {
            fault = $"no whole answer within {RoundMax.TotalSeconds:0} s";
        }
        catch (Exception failure) when (failure is IOException or SocketException or UnauthorizedAccessException)
        {
            fault = ExceptionText.Of(failure);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Nobody waits for a round but a tick that takes its result: what it throws must not end the agent.
            fault = $"a fault of this program: {failure.GetType().Name}: {failure.Message}";
        }

        return new RuntimeAnswer(
            known.ToDictionary(
                each => each.Key, each => new RuntimeContainer(each.Key, each.Value.Name, each.Value.Image, each.Value.RestartCount, each.Value.Health), StringComparer.Ordinal),
            omitted,
            fault);
    }

    private async Task<int> ListAsync(RuntimeConnection connection, CancellationToken cancellationToken)
    {
        const string Path = "/containers/json";
        var answer = await connection.GetAsync(Path, cancellationToken);
        if (answer.Status != 200)
        {
            throw new HttpFormatException($"it answered {answer.Status} to GET {Path}");
        }

        if (!RuntimeJson.TryReadList(answer.Body, listed, out var omitted))
        {
            throw new HttpFormatException($"its answer to GET {Path} is no list of containers");
        }

        round++;
        foreach (var container in listed)
        {
            if (!known.TryGetValue(container.Id, out var of))
            {
                known.Add(container.Id, of = new Known(container.Id, container.Name, container.Image));
            }

            of.ListedIn = round;
            of.IsUrgent = of.IsUrgent || of.AskedIn == 0 || of.State != container.State || container.MayHaveRestarted;
            of.State = container.State;
        }

        foreach (var (id, of) in known)
        {
            if (of.ListedIn != round)
            {
                known.Remove(id); // allowed while it is walked through
            }
        }

        return omitted;
    }

    // What one page does holds up the others for PageMax at most, and is asked again when it is its turn.
    private async Task<string> AskPagesAsync(RuntimeConnection connection, CancellationToken cancellationToken)
    {
        var first = "";
        foreach (var of in known.Values.OrderBy(each => each.IsUrgent ? 0 : 1).ThenBy(each => each.AskedIn).Take(PagesPerRoundMax))
        {
            (of.AskedIn, of.IsUrgent) = (round, false);
            var fault = await AskPageAsync(connection, $"/containers/{of.Id}/json", of, cancellationToken);
            first = first.Length > 0 ? first : fault;
        }

        return first;
    }

    /// <returns>What is wrong with the page; empty for nothing.</returns>
    private async Task<string> AskPageAsync(RuntimeConnection connection, string path, Known of, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(PageMax, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var answer = await connection.GetAsync(path, linked.Token);
            if (answer.Status is Gone or Busy)
            {
                return ""; // it ended since the list was made
            }

            if (answer.Status != 200)
            {
                connection.Dispose(); // it may end it without a word, which would cost the next page
                return $"it answered {answer.Status} to GET {path}";
            }

            if (!RuntimeJson.TryReadPage(answer.Body, out var restartCount, out var health))
            {
                return $"its answer to GET {path} describes no container";
            }

            (of.RestartCount, of.Health) = (restartCount, health);
            return "";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            connection.Dispose(); // its answer would be taken for the next one's
            return $"no whole answer to GET {path} within {PageMax.TotalSeconds:0} s";
        }
        catch (IOException failure)
        {
            connection.Dispose();
            return $"GET {path}: {ExceptionText.Of(failure)}";
        }
    }

    private sealed class Known(string id, string name, string image)
    {
        public string Id => id;

        public string Name => name;

        public string Image => image;

        /// <summary>The round whose list had it last.</summary>
        public long ListedIn { get; set; }

        /// <summary>The round in which its own page was asked for last; 0 for none.</summary>
        public long AskedIn { get; set; }

        public bool IsUrgent { get; set; }

        public string State { get; set; } = "";

        public long? RestartCount { get; set; }

        public ContainerHealth? Health { get; set; }
    }
}

/// <summary>What a round gave.</summary>
/// <param name="Containers">All containers that are known, by their ids.</param>
/// <param name="OmittedCount">Containers of the list that were left out.</param>
/// <param name="Fault">Why the round has no whole answer; empty when it has.</param>
internal sealed record RuntimeAnswer(IReadOnlyDictionary<string, RuntimeContainer> Containers, int OmittedCount, string Fault)
{
    /// <summary>Before the first round.</summary>
    public static readonly RuntimeAnswer None = new(new Dictionary<string, RuntimeContainer>(), 0, "");
}
