using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform.Processes;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.SystemdJournal;

/// <summary>All inputs that follow the systemd journal.</summary>
internal sealed class JournalInputs(JournalOptions options, TimeProvider time, ILogger logger) : IRecordSource
{
    private List<JournalInput> inputs = [];
    private volatile InputCounters[] counters = [];
    private volatile JournalInput[] all = [];
    private int turn;

    /// <inheritdoc/>
    public Action Changed { private get; set; } = () => { };

    /// <inheritdoc/>
    public IReadOnlyList<InputCounters> Counters => counters;

    /// <summary>The inputs.</summary>
    public IReadOnlyList<JournalInput> All => all;

    /// <inheritdoc/>
    public void Apply(AgentSettings settings, IReadOnlyList<TailOffset> saved)
    {
        var old = inputs;
        inputs = [];
        foreach (var input in settings.LogInputs.Where(input => input.IsJournal))
        {
            var before = old.Find(each => each.Input.IsSameSource(input));
            if (before is not null && before.Input.Matches.SequenceEqual(input.Matches))
            {
                before.Input = input;
                inputs.Add(before);
                continue;
            }

            // What it took may wait to be stored: other matches go on behind that, too.
            var cursor = before is not null ? before.Cursor : saved.FirstOrDefault(offset => offset.Kind == TailKind.Journal && offset.Input == input.Name)?.Text;
            inputs.Add(new JournalInput(input, cursor, options, before?.Counters ?? new InputCounters(input.Name), time, logger, () => Changed()));
        }

        foreach (var gone in old.Except(inputs))
        {
            gone.Dispose();
        }

        counters = [.. inputs.Select(input => input.Counters)];
        all = [.. inputs];
    }

    /// <inheritdoc/>
    public async ValueTask<FillOutcome> FillAsync(LogBatch batch, CancellationToken cancellationToken)
    {
        var outcome = FillOutcome.Empty;
        for (var i = 0; i < inputs.Count; i++)
        {
            // By turns: one that always has more does not keep the others from theirs.
            switch (await inputs[(turn + i) % inputs.Count].FillAsync(batch, cancellationToken))
            {
                case FillOutcome.BatchFull:
                    turn += i;
                    return FillOutcome.BatchFull;
                case FillOutcome.More:
                    outcome = FillOutcome.More;
                    break;
                default:
                    break;
            }
        }

        turn++;
        return outcome;
    }

    /// <inheritdoc/>
    public void Dispose() => inputs.ForEach(input => input.Dispose());
}

/// <summary>How the journal is read.</summary>
/// <param name="Program">The path of journalctl; null when there is none.</param>
/// <param name="Environment">What it gets, lines as <c>LC_ALL=C</c>.</param>
/// <param name="Follows">Whether to wait for entries to come; else what is there is read to its end, once.</param>
/// <param name="Troubled">Hears which input cannot be read any more, and why.</param>
internal sealed record JournalOptions(string? Program, IReadOnlyList<string> Environment, bool Follows, Action<string, string> Troubled)
{
    /// <summary>This host's journalctl.</summary>
    public static JournalOptions OfThisHost(bool follows, Action<string, string> troubled) =>
        new(ChildProcess.Find("journalctl", System.Environment.GetEnvironmentVariable("PATH")), ["LC_ALL=C"], follows, troubled);
}
