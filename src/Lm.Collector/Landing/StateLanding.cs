using System.Globalization;
using Lm.Journal;
using Lm.ObjectStore;

namespace Lm.Collector.Landing;

/// <summary>Puts the ledger's snapshot and the state file into the store, before raw objects that they summarise go (D4): each pair under a place of its own, and the one before goes when the new one
/// was read back.</summary>
/// <param name="parts">What landing works with.</param>
/// <param name="now">What there is now.</param>
internal sealed class StateLanding(RawLandingParts parts, Func<StateNow?> now)
{
    /// <summary>What names of ledgers' snapshots end with.</summary>
    public const string LedgerEnding = ".ledger";

    /// <summary>What names of state files end with.</summary>
    public const string StateEnding = ".state";

    private readonly VerifiedPut puts = new(parts.Store, parts.Metrics, parts.Logger);
    private JournalPosition? last;

    /// <summary>Puts them when there is something new.</summary>
    /// <exception cref="IOException">The store failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (now() is not { } state || state.Covered == last)
        {
            return;
        }

        var name = state.Covered.Segment.ToString("D10", CultureInfo.InvariantCulture) + "-" + state.Covered.Offset.ToString("D12", CultureInfo.InvariantCulture);
        var (ledgerKey, stateKey) = (KeyOf(name + LedgerEnding), KeyOf(name + StateEnding));
        await puts.RunAsync(stateKey, ObjectContent.Of(state.State), cancellationToken);
        await puts.RunAsync(ledgerKey, ObjectContent.Of(state.Ledger), cancellationToken);
        last = state.Covered;
        var older = new List<string>();
        await foreach (var key in StoreLists.KeysAsync(parts.Store, KeyOf(""), cancellationToken))
        {
            if (key != ledgerKey && key != stateKey)
            {
                older.Add(key);
            }
        }

        foreach (var key in older)
        {
            await parts.Store.DeleteAsync(key, cancellationToken);
        }
    }

    private string KeyOf(string name) => parts.Keys.State(parts.Collector, parts.Spool.Incarnation, name);
}
