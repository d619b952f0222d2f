using System.Buffers.Text;
using System.Text;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Platform.Processes;
using Microsoft.Extensions.Logging;

namespace Lm.Agent.SystemdJournal;

/// <summary>One input that follows the systemd journal, through <c>journalctl</c>.</summary>
/// <remarks>
/// Invariants:
/// the cursor that a batch carries is that of the last entry in it, or of one that was left out behind it (A10): a crash goes on behind what is in the queue;
/// <see cref="cursor"/> is that of the last entry that was taken, in a batch that may not be stored yet: journalctl is started again behind it;
/// an entry that does not fit into the batch waits, complete, for the next one;
/// of an entry no more is held than a record may have.
/// </remarks>
internal sealed class JournalInput : IDisposable
{
    // A filling gives others their turn after so many bytes.
    private const long BytesPerTurn = 4 << 20;

    private const long AheadMaxMs = 1000;

    // Beyond what a record may have: where that ends it is seen which bytes are one character.
    private const int CharacterBytesMax = 4;

    // So much at a time means that entries come as fast as they are read; the next chunk is there within the patience.
    private const int StreamBytesMin = 4096;
    private static readonly TimeSpan StreamPatience = TimeSpan.FromMilliseconds(20);

    // Longer than journalctl ever takes to find where to begin. One that follows and ran for so long is well.
    private static readonly TimeSpan RunPatience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(60);

    private readonly JournalOptions options;
    private readonly InputCounters counters;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Action changed;
    private JournalReader? reader;
    private JournalExport export = new(0);
    private readonly JournalAttributes attributes;
    private string? cursor; // null: not known yet; empty: before the first entry
    private bool isProbing;
    private bool hasEntry; // complete, and in no batch
    private bool isDone; // read to its end, once
    private bool isFailing;
    private TimeSpan retryDelay = RetryMin;
    private ITimer? retry;
    private long startedAt;
    private volatile bool isRetryDue = true;

    public JournalInput(LogInput input, string? cursor, JournalOptions options, InputCounters counters, TimeProvider time, ILogger logger, Action changed)
    {
        (Input, this.cursor, this.options, this.counters, this.time, this.logger, this.changed) = (input, cursor, options, counters, time, logger, changed);
        attributes = new JournalAttributes(input.Name);
    }

    /// <summary>The input.</summary>
    public LogInput Input { get; set; }

    /// <summary>What became of its entries.</summary>
    public InputCounters Counters => counters;

    /// <summary>The cursor of the last entry that was taken; null when none is known.</summary>
    public string? Cursor => cursor;

    /// <summary>How often journalctl had to be started again.</summary>
    public long RestartCount { get; private set; }

    /// <summary>Puts what is there into the batch.</summary>
    public async ValueTask<FillOutcome> FillAsync(LogBatch batch, CancellationToken cancellationToken)
    {
        for (var taken = 0L; taken < BytesPerTurn;)
        {
            if (reader is null && !TryStart(batch.Limits.MessageBytesMax))
            {
                return FillOutcome.Empty;
            }

            if (hasEntry && !TryTake(batch))
            {
                return FillOutcome.BatchFull;
            }

            var before = reader!.Peek().Length;
            if (before > 0)
            {
                if (!Consume(batch))
                {
                    return FillOutcome.BatchFull;
                }

                taken += before;
            }
            else if (reader.HasEnded)
            {
                End(batch);
            }
            else if (!await WaitAsync(taken, cancellationToken))
            {
                return FillOutcome.Empty;
            }
        }

        return FillOutcome.More;
    }

    public void Dispose()
    {
        retry?.Dispose();
        Close();
    }

    /// <summary>Waits for more, where more is to be expected at once.</summary>
    private async ValueTask<bool> WaitAsync(long taken, CancellationToken cancellationToken)
    {
        if (options.Follows)
        {
            // What comes later wakes the loop: files do not wait for the journal.
            if (time.GetElapsedTime(startedAt) >= RunPatience)
            {
                if (isProbing)
                {
                    Fail($"{options.Program} did not end within {RunPatience.TotalSeconds:0} s");
                    return false;
                }

                Recovered();
            }

            return taken >= StreamBytesMin && await reader!.WaitAsync(StreamPatience, cancellationToken);
        }

        if (await reader!.WaitAsync(RunPatience, cancellationToken))
        {
            return true;
        }

        Fail($"{options.Program} wrote nothing for {RunPatience.TotalSeconds:0} s");
        return false;
    }

    private bool TryStart(int bytesMax)
    {
        if (isDone || !isRetryDue)
        {
            return false;
        }

        isProbing = cursor is null && Input.StartAtEnd;
        if (options.Program is not { } program)
        {
            Fail("there is no journalctl in the folders of PATH; install systemd's, or take the input out");
            return false;
        }

        if (ChildProcess.TryStart(program, Arguments(), options.Environment, out var error) is not { } child)
        {
            Fail($"{program} cannot be started: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)}");
            return false;
        }

        export = new JournalExport(bytesMax + CharacterBytesMax);
        reader = new JournalReader(child, changed);
        startedAt = time.GetTimestamp();
        counters.SetFiles(1, 0);
        JournalLog.Following(logger, Input.Name, program, child.Id, cursor ?? "");
        return true;
    }

    private List<string> Arguments()
    {
        List<string> arguments = ["--output=export", "--quiet", "--no-pager", $"--output-fields={JournalExport.FieldNames}"];
        if (isProbing)
        {
            arguments.Add("--lines=1");
        }
        else
        {
            if (options.Follows)
            {
                arguments.AddRange(["--follow", "--no-tail"]);
            }

            if (!string.IsNullOrEmpty(cursor))
            {
                arguments.Add($"--after-cursor={cursor}");
            }
        }

        arguments.AddRange(Input.Matches);
        return arguments;
    }

    /// <summary>Reads the chunk that is there.</summary>
    /// <returns>False when the batch takes no more; the rest of the chunk, and the entry, wait.</returns>
    private bool Consume(LogBatch batch)
    {
        while (reader is not null && !reader.Peek().IsEmpty)
        {
            var bytes = reader.Peek();
            export.MessageBytesMax = batch.Limits.MessageBytesMax + CharacterBytesMax;
            var rest = bytes;
            var step = export.Read(ref rest);
            reader.Take(bytes.Length - rest.Length);
            if (step == ExportStep.NeedsMore)
            {
                return true;
            }

            if (step == ExportStep.Malformed || export.Cursor.IsEmpty)
            {
                Fail(step == ExportStep.Malformed ? $"what {options.Program} writes is not the export format" : "an entry has no cursor");
                return true;
            }

            hasEntry = true;
            if (!TryTake(batch))
            {
                return false;
            }
        }

        return true;
    }

    private bool TryTake(LogBatch batch)
    {
        if (!isProbing && !IsExcluded() && !TryAdd(batch))
        {
            return false;
        }

        hasEntry = false;
        cursor = Encoding.UTF8.GetString(export.Cursor);
        NoteCursor(batch, isUrgent: isProbing);
        Recovered();
        return true;
    }

    private bool TryAdd(LogBatch batch)
    {
        var marks = LineMarks.None;
        var kept = export.Message;
        var bytesMax = export.MessageLength > kept.Length ? Math.Min(kept.Length - CharacterBytesMax, batch.Limits.MessageBytesMax) : batch.Limits.MessageBytesMax;
        var body = LineText.Clean(kept, bytesMax, ref marks);
        if (!batch.Takes(body.Length))
        {
            return false;
        }

        if (!TryReadTime(batch.ReadAt, out var at))
        {
            marks |= LineMarks.TimeOfReading;
        }

        batch.Add(at, SeverityOf(export.Priority), body, attributes.Of(export, marks, batch.Limits.ValueBytesMax));
        counters.AddLine(marks);
        counters.AddBytes(export.MessageLength);
        return true;
    }

    private bool IsExcluded()
    {
        foreach (var pattern in Input.Exclude)
        {
            if (pattern.IsMatch(export.Message))
            {
                counters.AddExcluded();
                counters.AddBytes(export.MessageLength);
                return true;
            }
        }

        return false;
    }

    /// <summary>When the journal took the entry. One ahead of the clock would hold back its whole batch at the collector.</summary>
    private bool TryReadTime(UnixMillis readAt, out UnixMillis at)
    {
        at = readAt;
        if (!Utf8Parser.TryParse(export.Realtime, out long microseconds, out var used) || used != export.Realtime.Length || microseconds <= 0
            || (microseconds / 1000) - readAt.Value > AheadMaxMs)
        {
            return false;
        }

        at = new UnixMillis(microseconds / 1000);
        return true;
    }

    private static int SeverityOf(ReadOnlySpan<byte> priority) => priority is [>= (byte)'0' and <= (byte)'7'] ? SeverityName.OfSyslog(priority[0] - '0') : 0;

    private void NoteCursor(LogBatch batch, bool isUrgent) =>
        batch.Note(new TailOffset { Kind = TailKind.Journal, Input = Input.Name, Text = cursor! }, isUrgent);

    /// <summary>journalctl has ended, and all that it wrote is taken.</summary>
    private void End(LogBatch batch)
    {
        if (!reader!.EndedWell || (options.Follows && !isProbing))
        {
            Fail($"{options.Program}: {reader.Describe()}");
            return;
        }

        if (isProbing && cursor is null)
        {
            // An empty journal: whatever comes is new.
            cursor = "";
            NoteCursor(batch, isUrgent: true);
        }

        isDone = !isProbing;
        Recovered();
        Close();
    }

    private void Fail(string reason)
    {
        Close();
        RestartCount++;
        if (!isFailing)
        {
            JournalLog.Failed(logger, Input.Name, reason);
            options.Troubled(Input.Name, reason);
        }

        isFailing = true;
        isDone = !options.Follows; // --once tries once
        isRetryDue = false;
        retry?.Dispose();
        retry = time.CreateTimer(_ => RetryNow(), null, retryDelay, Timeout.InfiniteTimeSpan);
        retryDelay = retryDelay * 2 > RetryMax ? RetryMax : retryDelay * 2;
    }

    private void RetryNow()
    {
        isRetryDue = true;
        changed();
    }

    private void Recovered()
    {
        retryDelay = RetryMin;
        if (isFailing)
        {
            JournalLog.Recovered(logger, Input.Name);
            isFailing = false;
        }
    }

    private void Close()
    {
        reader?.Dispose();
        reader = null;
        hasEntry = false;
        counters.SetFiles(0, 0);
    }
}
