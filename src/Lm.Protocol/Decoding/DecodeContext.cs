using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>What the steps of reading one batch share, and the fault at which they stop.</summary>
internal ref struct DecodeContext(ReadOnlySpan<byte> payload, Limits limits, DecodedBatch batch)
{
    public readonly ReadOnlySpan<byte> Payload = payload;
    public readonly Limits Limits = limits;
    public readonly DecodedBatch Batch = batch;

    /// <summary>References of labels that a batch may have.</summary>
    public readonly int ReferencesMax = 2 * limits.LabelsPerBatchMax;

    /// <summary>Symbols that a batch may have.</summary>
    public readonly int SymbolsMax = limits.SymbolsPerBatchMax;

    /// <summary>Where the second pass begins: all fields before it were read in the first.</summary>
    public int RecordsStart;

    public DecodeStatus Status { get; private set; }

    public string Fault { get; private set; } = "";

    /// <summary>Notes that the bytes are not a batch.</summary>
    /// <returns>False, for the caller to return.</returns>
    public bool Malformed(string fault) => Fail(DecodeStatus.Malformed, fault);

    /// <summary>Notes that a limit of the whole batch is exceeded.</summary>
    public bool TooMany(string fault) => Fail(DecodeStatus.LimitExceeded, fault);

    /// <summary>Notes why the batch is not taken.</summary>
    public bool Fail(DecodeStatus status, string fault)
    {
        Status = status;
        Fault = fault;
        return false;
    }

    /// <summary>Notes a field that could not be read.</summary>
    public bool Unreadable(in WireReader reader, string what) =>
        Malformed($"{what} at byte {reader.Position} of {Payload.Length} is cut short or not protobuf");

    /// <summary>Notes a known field with a wire type that it does not have, or steps over an unknown one.</summary>
    public bool SkipUnknown(ref WireReader reader, uint tag, uint lastNumber)
    {
        if (tag >> 3 <= lastNumber)
        {
            return Malformed($"field {tag >> 3} before byte {reader.Position} has wire type {tag & 7}, which is not its own");
        }

        return reader.TrySkip(tag) || Unreadable(reader, $"field {tag >> 3}");
    }

    /// <summary>Says which record the fault is in.</summary>
    public void InRecord(string record) => Fault = $"{record}: {Fault}";
}
