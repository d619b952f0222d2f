using Lm.Collector.Ingest;
using Lm.Journal;
using Lm.Platform;

namespace Lm.Collector.SharedLog;

/// <summary>The shared log, folded up to a number: which records are visible, which sequences are taken, which objects hold what. A function of the commits alone, so that it is the same at every collector.</summary>
/// <remarks>
/// Invariants:
/// commits are applied in the order of their numbers, each once;
/// no clock and no setting of this machine has a say: times are those that commits carry;
/// a batch is visible at the first commit that names its sequences, and nowhere else;
/// a build counts when it begins right behind what was covered, and for nothing else: one that was made by who did not know of another is void;
/// so do blocks and log files, one set after the other: the next can count only when the one before is where readers find it.
/// For one thread at a time.
/// </remarks>
internal sealed class LogFold
{
    private readonly SequenceLedger ledger = new();
    private readonly List<LogPart> parts = [];
    private readonly SortedSet<(long Number, int Index)> hidden = [];
    private readonly List<Guid> open = []; // nonces of the commits behind Covered

    /// <summary>The number of the last commit; 0 before the first.</summary>
    public long Last { get; private set; }

    /// <summary>The writer's clock of the last commit; null where that is not known.</summary>
    public UnixMillis? LastAt { get; private set; }

    /// <summary>The nonce of the last commit; null before the first.</summary>
    public Guid? LastNonce { get; private set; }

    /// <summary>The records of all commits up to this number are in <see cref="Parts"/>.</summary>
    public long Covered { get; private set; }

    /// <summary>Bytes of raw objects of commits behind <see cref="Covered"/>.</summary>
    public long OpenBytes { get; private set; }

    /// <summary>Who wrote the last build that counted; empty where that is not known.</summary>
    public string Builder { get; private set; } = "";

    /// <summary>The objects that hold the records of commits up to <see cref="Covered"/>, in order.</summary>
    public IReadOnlyList<LogPart> Parts => parts;

    /// <summary>The records of all commits up to this number are in blocks and log files that count: published, or <see cref="Pending"/>.</summary>
    public long Filed { get; private set; }

    /// <summary>The records of all commits up to this number are in blocks and log files that are where readers find them, read back there.</summary>
    public long Published { get; private set; }

    /// <summary>The files of the commits between <see cref="Published"/> and <see cref="Filed"/>; null when there are none.</summary>
    public PendingFiles? Pending { get; private set; }

    /// <summary>Entries of commits behind <see cref="Covered"/> that are not visible.</summary>
    public IReadOnlyCollection<(long Number, int Index)> Hidden => hidden;

    /// <summary>The nonce of a commit behind <see cref="Covered"/>: what is under its number now may be another one, put by who did not know that it was cleaned away.</summary>
    public Guid NonceOf(long number) => open[(int)(number - Covered - 1)];

    /// <summary>What a batch would be, should it be committed next.</summary>
    public AdmissionResult Look(CommitFrame frame) => ledger.Admit(frame.Key, frame.Fingerprint, floor: 0, default, mayEnter: false);

    /// <summary>Applies the commit behind the last.</summary>
    /// <returns>For each entry of a data commit whether it is visible; for another one, one value: whether it counts.</returns>
    public bool[] Apply(Commit commit)
    {
        var counts = Counts(commit);
        (Last, LastAt, LastNonce) = (Last + 1, commit.At, commit.Nonce);
        open.Add(commit.Nonce);
        if (commit is DataCommit data)
        {
            return ApplyData(data);
        }

        switch (counts ? commit : null)
        {
            case BuildCommit build:
                ApplyBuild(build);
                break;
            case FilesCommit files:
                (Filed, Pending) = (files.Covers, new PendingFiles(files.From, files.Covers, files.Manifest));
                break;
            case PublishedCommit published:
                (Published, Pending) = (published.Covers, null);
                break;
        }

        return [counts];
    }

    /// <summary>Whether a commit would count as the next one.</summary>
    public bool Counts(Commit commit) => commit switch
    {
        BuildCommit build => build.From == Covered + 1 && build.Covers >= Covered && build.Covers <= Last,
        FilesCommit files => Pending is null && files.From == Filed + 1 && files.Covers >= files.From && files.Covers <= Covered,
        PublishedCommit published => published.Covers == Pending?.Covers,
        _ => true,
    };

    /// <summary>The fold as an object.</summary>
    public byte[] ToSnapshot(UnixMillis at) => LogSnapshot.Write(new LogSnapshot(
        Last, at, LastAt, LastNonce, Covered, OpenBytes, Builder, parts, [.. hidden], open, Filed, Published, Pending, ledger.ToBytes(Guid.Empty)));

    /// <summary>The fold that a snapshot tells of.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRestore(ReadOnlyMemory<byte> bytes, out LogFold fold, out UnixMillis at)
    {
        (fold, at) = (new LogFold(), default);
        if (LogSnapshot.TryRead(bytes, out var snapshot) is { } fault)
        {
            return fault;
        }

        at = snapshot!.At;
        (fold.Last, fold.LastAt, fold.LastNonce) = (snapshot.Last, snapshot.LastAt, snapshot.LastNonce);
        (fold.Covered, fold.OpenBytes, fold.Builder) = (snapshot.Covered, snapshot.OpenBytes, snapshot.Builder);
        (fold.Filed, fold.Published, fold.Pending) = (snapshot.Filed, snapshot.Published, snapshot.Pending);
        fold.parts.AddRange(snapshot.Parts);
        fold.hidden.UnionWith(snapshot.Hidden);
        fold.open.AddRange(snapshot.Open);
        return fold.ledger.TryRestore(snapshot.Ledger.Span, Guid.Empty) is { } ledgerFault ? $"its ledger: {ledgerFault}" : null;
    }

    private bool[] ApplyData(DataCommit data)
    {
        OpenBytes += data.Raw.SizeBytes;
        var visible = new bool[data.Entries.Count];
        for (var i = 0; i < visible.Length; i++)
        {
            var entry = data.Entries[i];
            visible[i] = entry.Frame is not { } frame || ledger.Replay(frame.Key, frame.Fingerprint, frame.Floor, entry.ReceivedAt, new JournalPosition(0, Last));
            if (!visible[i])
            {
                hidden.Add((Last, i));
            }
        }

        return visible;
    }

    private void ApplyBuild(BuildCommit build)
    {
        if (build.Covers > Covered)
        {
            open.RemoveRange(0, (int)(build.Covers - Covered));
            (Covered, OpenBytes) = (build.Covers, 0); // what came since is little: it is counted again from here
        }

        hidden.RemoveWhere(entry => entry.Number <= Covered);
        parts.RemoveAll(part => build.Removes.Contains(part.Object.Key, StringComparer.Ordinal));
        parts.AddRange(build.Adds);
        Builder = build.Writer;
        ledger.Forget(build.ForgetBefore);
    }
}
