using Lm.Journal;
using Lm.Logs;
using Lm.Tsdb;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>What this machine has, as landing sees it.</summary>
internal sealed record LocalStores
{
    /// <summary>The blocks.</summary>
    public required BlockSet Blocks { get; init; }

    /// <summary>What tells this collector's blocks from others'.</summary>
    public required IReadOnlyList<Label> Labels { get; init; }

    /// <summary>The sealed log files that there are now.</summary>
    public required Func<IReadOnlyList<StoredLogFile>> SealedLogs { get; init; }

    /// <summary>How far the spool is in files now; null when that is not known.</summary>
    public required Func<CoverageMark?> Mark { get; init; }

    /// <summary>Whether all that came before a mark is in blocks and sealed log files.</summary>
    public required Func<CoverageMark, bool> IsInFiles { get; init; }

    /// <summary>Damaged files of the head, of earlier runs, too.</summary>
    public required Func<int> HeadDamage { get; init; }

    /// <summary>Damage of spool and log files that was found since start.</summary>
    public required Func<int> OtherDamage { get; init; }

    /// <summary>Whether a segment of the spool holds what is stored nowhere else.</summary>
    public required Func<uint, bool> IsOnlyHere { get; init; }

    /// <summary>The ledger's snapshot and the state file as they would be now; null before the first record.</summary>
    public required Func<StateNow?> State { get; init; }
}

/// <summary>How far the spool is in files at one moment of this process' life.</summary>
/// <param name="UpTo">The last record that is in files of the head and of the log store.</param>
/// <param name="NextWindow">The number of the head's window that is made next.</param>
/// <param name="NextLogFile">The number of the open log file that is made next.</param>
internal readonly record struct CoverageMark(JournalPosition UpTo, uint NextWindow, uint NextLogFile);

/// <summary>What is known beside the records.</summary>
/// <param name="Covered">The last record that both know of.</param>
/// <param name="Ledger">The ledger's snapshot.</param>
/// <param name="State">The state file.</param>
internal sealed record StateNow(JournalPosition Covered, byte[] Ledger, byte[] State);
