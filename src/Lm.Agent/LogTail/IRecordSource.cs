using Lm.Agent.Queue;
using Lm.Agent.Settings;

namespace Lm.Agent.LogTail;

/// <summary>Something other than log files that records come from. The tail loop asks it, so that what it gives is stored by the same append as lines are.</summary>
internal interface IRecordSource : IDisposable
{
    /// <summary>Called, from any thread, when there is something to ask for.</summary>
    Action Changed { set; }

    /// <summary>What became of the records, by input.</summary>
    IReadOnlyList<InputCounters> Counters { get; }

    /// <summary>Takes settings, the first ones and those of a reload.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="saved">How far inputs are durably taken.</param>
    void Apply(AgentSettings settings, IReadOnlyList<TailOffset> saved);

    /// <summary>Puts what is there into the batch, with the offsets behind it.</summary>
    ValueTask<FillOutcome> FillAsync(LogBatch batch, CancellationToken cancellationToken);
}

/// <summary>How a filling ended.</summary>
internal enum FillOutcome
{
    /// <summary>There is no more.</summary>
    Empty,

    /// <summary>There is more; it is others' turn.</summary>
    More,

    /// <summary>The batch takes no more: store it and ask again.</summary>
    BatchFull,
}
