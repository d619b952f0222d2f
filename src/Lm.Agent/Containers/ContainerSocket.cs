using Lm.Agent.HostMetrics;
using Lm.Agent.Settings;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.Containers;

/// <summary>The runtime behind the socket that <c>[sources.containers]</c> names; nothing of it exists where none is named.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>Rounds run on threads of the pool, one at a time, every <see cref="AskEvery"/> at most, each for <see cref="RuntimeClient.RoundMax"/> at most: whatever the runtime does, no tick waits,
/// but for <see cref="FirstMax"/> in the first one, so that a single tick has names, too.</item>
/// <item>All members are for the tick's thread alone.</item>
/// </list>
/// </remarks>
internal sealed class ContainerSocket : IContainerRuntime
{
    /// <summary>Time between the beginnings of two rounds.</summary>
    public static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(15);

    /// <summary>How long the first tick waits for the first round.</summary>
    public static readonly TimeSpan FirstMax = TimeSpan.FromMilliseconds(500);

    private readonly string path;
    private readonly RuntimeClient client;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stop = new();
    private Task<RuntimeAnswer>? round;
    private RuntimeAnswer last = RuntimeAnswer.None;
    private long? askedAt;
    private long failuresInRow;

    /// <summary>Takes a socket; nothing is asked yet.</summary>
    /// <param name="path">The socket's path.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Hears of a runtime that ceases to answer, and that answers again.</param>
    public ContainerSocket(string path, TimeProvider time, ILogger logger) =>
        (this.path, this.time, this.logger, client) = (path, time, logger, new RuntimeClient(path, time));

    /// <inheritdoc/>
    public long BegunCount { get; private set; }

    /// <inheritdoc/>
    public long EndedCount { get; private set; }

    /// <inheritdoc/>
    public long FailureCount { get; private set; }

    /// <inheritdoc/>
    public bool IsUp => EndedCount > 0 && failuresInRow == 0;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, RuntimeContainer> Containers => last.Containers;

    /// <inheritdoc/>
    public int OmittedCount => last.OmittedCount;

    /// <summary>Ends with the round that is under way.</summary>
    public Task Round => round ?? Task.CompletedTask;

    /// <summary>Makes one as the settings say; null where no socket is named, or containers are not looked at.</summary>
    public static ContainerSocket? Create(SourcesSettings settings, TimeProvider time, ILogger logger)
    {
        var source = settings.Of(SourceCatalog.Containers);
        return settings.Profile == SourceProfile.Host && source is { IsEnabled: true, Socket.Length: > 0 } ? new ContainerSocket(source.Socket, time, logger) : null;
    }

    /// <inheritdoc/>
    public void Look(TimeSpan patience)
    {
        // A tick comes some milliseconds early or late: a round that is nearly due is not put off for a whole tick.
        const double NearlyDue = 0.95;
        Take();
        if (round is not null || (askedAt is { } at && time.GetElapsedTime(at) < AskEvery * NearlyDue))
        {
            return;
        }

        askedAt = time.GetTimestamp();
        BegunCount++;
        // Off this thread from the start: even looking up the socket's path can hang, on a filesystem of the network.
        round = Task.Run(() => client.AskAsync(stop.Token), CancellationToken.None);
        if (BegunCount == 1)
        {
            _ = Task.WaitAny([round], patience < FirstMax ? patience : FirstMax);
            Take();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stop.Cancel();
        _ = EndAsync();
    }

    // A round that is stuck in the kernel keeps no one from going on.
    private async Task EndAsync()
    {
        if (round is { } open)
        {
            await open;
        }

        stop.Dispose();
    }

    private void Take()
    {
        if (round is not { IsCompleted: true })
        {
            return;
        }

        last = round.GetAwaiter().GetResult();
        round = null;
        EndedCount++;
        if (last.Fault.Length > 0)
        {
            FailureCount++;
            if (failuresInRow++ == 0)
            {
                ContainersLog.RuntimeFails(logger, path, last.Fault);
            }
        }
        else if (failuresInRow > 0)
        {
            ContainersLog.RuntimeAnswers(logger, path, failuresInRow);
            failuresInRow = 0;
        }
    }
}
