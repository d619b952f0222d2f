using System.Globalization;
using Lm.Agent.LogTail;
using Lm.Agent.Queue;
using Lm.Agent.Settings;
using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Programs;

/// <summary>Output of commands that waits to be stored as log records of the input <c>commands</c>. Anybody may post; the tail loop takes it into the queue.</summary>
/// <remarks>No more wait than <see cref="CountMax"/> of <see cref="BytesMax"/> bytes: what comes beyond that is dropped and counted.</remarks>
internal sealed class CommandRecords : IRecordSource
{
    /// <summary>Records that may wait.</summary>
    public const int CountMax = 256;

    /// <summary>Bytes that may wait.</summary>
    public const int BytesMax = 1 << 20;

    private const int SeverityInfo = 9; // OpenTelemetry's
    private const int SeverityWarning = 13;

    private readonly Lock gate = new(); // guards waiting, waitingBytes, dropped
    private readonly Queue<Waiting> waiting = new();
    private int waitingBytes;
    private long dropped;

    /// <inheritdoc/>
    public Action Changed { private get; set; } = () => { };

    /// <summary>None: what is told of inputs is about lines and files.</summary>
    public IReadOnlyList<InputCounters> Counters => [];

    /// <summary>Records for which there was no room.</summary>
    public long DroppedCount
    {
        get
        {
            lock (gate)
            {
                return dropped;
            }
        }
    }

    /// <summary>Takes a command's output.</summary>
    /// <param name="at">When it began.</param>
    /// <param name="command">The command's name.</param>
    /// <param name="exitCode">What it ended with; -1 when it did not end by itself.</param>
    /// <param name="isCut">Whether there was more.</param>
    /// <param name="output">What it wrote.</param>
    public void Post(UnixMillis at, string command, int exitCode, bool isCut, ReadOnlyMemory<byte> output)
    {
        lock (gate)
        {
            if (waiting.Count >= CountMax || waitingBytes + output.Length > BytesMax)
            {
                dropped++;
                return;
            }

            waiting.Enqueue(new Waiting(at, command, exitCode, isCut, output));
            waitingBytes += output.Length;
        }

        Changed();
    }

    /// <inheritdoc/>
    public void Apply(AgentSettings settings, IReadOnlyList<TailOffset> saved)
    {
        // Commands are the hub's.
    }

    /// <inheritdoc/>
    public ValueTask<FillOutcome> FillAsync(LogBatch batch, CancellationToken cancellationToken) => ValueTask.FromResult(Fill(batch));

    /// <inheritdoc/>
    public void Dispose()
    {
        // Holds nothing.
    }

    private FillOutcome Fill(LogBatch batch)
    {
        lock (gate)
        {
            while (waiting.TryPeek(out var next))
            {
                if (!TryAdd(batch, next))
                {
                    return FillOutcome.BatchFull;
                }

                waitingBytes -= waiting.Dequeue().Output.Length;
            }
        }

        return FillOutcome.Empty;
    }

    private static bool TryAdd(LogBatch batch, in Waiting next)
    {
        var marks = next.IsCut ? LineMarks.Truncated : LineMarks.None;
        var body = LineText.Clean(next.Output.Span.TrimEnd("\r\n"u8), batch.Limits.MessageBytesMax, ref marks);
        if (!batch.Takes(body.Length))
        {
            return false;
        }

        List<Label> attributes =
        [
            new("input", LogInputReader.CommandsName),
            new("command", next.Command),
            new("exit_code", next.ExitCode.ToString(CultureInfo.InvariantCulture)),
        ];
        if (marks != LineMarks.None)
        {
            attributes.Add(new Label("marks", LineText.NamesOf(marks)));
        }

        batch.Add(next.At, next.ExitCode == 0 ? SeverityInfo : SeverityWarning, body, [.. attributes]);
        return true;
    }

    private readonly record struct Waiting(UnixMillis At, string Command, int ExitCode, bool IsCut, ReadOnlyMemory<byte> Output);
}
