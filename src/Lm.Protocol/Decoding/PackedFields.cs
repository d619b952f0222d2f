using System.Buffers.Binary;
using Lm.Protocol.Wire;

namespace Lm.Protocol.Decoding;

/// <summary>Reads packed runs of numbers into arrays. A field may come in several runs, and as single values: all are appended.</summary>
internal static class PackedFields
{
    /// <summary>The earliest time there is: year 1, milliseconds since 1970.</summary>
    public const long TimeMin = -62_135_596_800_000;

    /// <summary>The latest: the end of year 9999.</summary>
    public const long TimeMax = 253_402_300_799_999;

    /// <summary>Appends a run of references.</summary>
    public static bool TryReadReferences(ref DecodeContext context, ref WireReader reader, bool isPacked, ref Growing<uint> references)
    {
        if (!TryReadRun(ref context, ref reader, isPacked, out var run))
        {
            return false;
        }

        var left = context.ReferencesMax - references.Count;
        if (run.Length > left && CountVarints(run) > left)
        {
            return context.TooMany($"the batch has more than {context.Limits.LabelsPerBatchMax} labels, which is twice what "
                + $"max_labels_per_series ({context.Limits.LabelsPerSeriesMax}) and the limits of records allow");
        }

        var room = references.Reserve(Math.Min(run.Length, left), context.ReferencesMax);
        var count = 0;
        for (var values = new WireReader(run, 0, run.Length); !values.AtEnd; count++)
        {
            // Into a local first: a last number that is cut short is not among those that there is room for.
            if (!values.TryReadUInt32(out var reference))
            {
                return context.Malformed($"the references that end at byte {reader.Position} are not numbers of 32 bits");
            }

            room[count] = reference;
        }

        references.Take(count);
        return true;
    }

    /// <summary>Appends a run of time differences as times.</summary>
    /// <param name="context">The batch.</param>
    /// <param name="reader">At the run.</param>
    /// <param name="isPacked">Whether it is a run, not a single value.</param>
    /// <param name="time">The time that the first difference counts from; the last time afterwards.</param>
    public static bool TryReadTimes(ref DecodeContext context, ref WireReader reader, bool isPacked, ref long time)
    {
        if (!TryReadRun(ref context, ref reader, isPacked, out var run))
        {
            return false;
        }

        ref var times = ref context.Batch.SampleTimes;
        var left = context.Limits.SamplesPerBatchMax - times.Count;
        if (run.Length > left && CountVarints(run) > left)
        {
            return TooManySamples(ref context);
        }

        var room = times.Reserve(Math.Min(run.Length, left), context.Limits.SamplesPerBatchMax);
        var count = 0;
        for (var values = new WireReader(run, 0, run.Length); !values.AtEnd; count++)
        {
            if (!values.TryReadSigned(out var delta))
            {
                return context.Malformed($"the time differences that end at byte {reader.Position} are cut short or not protobuf");
            }

            if (!TryMove(ref context, ref time, delta))
            {
                return false;
            }

            room[count] = time;
        }

        times.Take(count);
        return true;
    }

    /// <summary>Appends a run of doubles.</summary>
    public static bool TryReadDoubles(
        ref DecodeContext context, ref WireReader reader, bool isPacked, ref Growing<double> doubles, int max, string tooMany)
    {
        var start = reader.Position;
        if (!isPacked)
        {
            if (!reader.TryReadDouble(out var single))
            {
                return context.Unreadable(reader, "a value");
            }

            if (doubles.Count >= max)
            {
                return context.TooMany(tooMany);
            }

            doubles.Add(single, max);
            return true;
        }

        if (!reader.TryReadLengthDelimited(out start, out var length))
        {
            return context.Unreadable(reader, "a run of values");
        }

        if (length % sizeof(double) != 0)
        {
            return context.Malformed($"the values that end at byte {reader.Position} have {length} bytes, not 8 each");
        }

        var count = length / sizeof(double);
        if (count > max - doubles.Count)
        {
            return context.TooMany(tooMany);
        }

        var run = context.Payload.Slice(start, length);
        var room = doubles.Reserve(count, max);
        for (var i = 0; i < count; i++)
        {
            room[i] = BinaryPrimitives.ReadDoubleLittleEndian(run[(i * sizeof(double))..]);
        }

        doubles.Take(count);
        return true;
    }

    /// <summary>Moves a time by a difference, within the years 1 to 9999, and notes it as the batch's oldest or newest.</summary>
    public static bool TryMove(ref DecodeContext context, ref long time, long delta)
    {
        // Both are below 2^48 once this holds, so the sum cannot overflow.
        if (delta is > TimeMax - TimeMin or < TimeMin - TimeMax || time + delta is < TimeMin or > TimeMax)
        {
            return context.Malformed($"a time {delta} ms from {time} ms is outside the years 1 to 9999");
        }

        time += delta;
        context.Batch.NoteTime(time);
        return true;
    }

    /// <summary>Notes that there are more samples than allowed, with their number.</summary>
    public static bool TooManySamples(ref DecodeContext context) => context.TooMany(
        $"the batch has {SampleCount.Of(context.Payload)} samples; max_samples_per_batch is {context.Limits.SamplesPerBatchMax}");

    /// <summary>How many numbers a run has: each ends with the one byte below 0x80.</summary>
    public static int CountVarints(ReadOnlySpan<byte> run)
    {
        var count = 0;
        foreach (var value in run)
        {
            count += value < 0x80 ? 1 : 0;
        }

        return count;
    }

    /// <summary>The bytes of a packed run, or of a single value.</summary>
    public static bool TryReadRun(ref DecodeContext context, ref WireReader reader, bool isPacked, out ReadOnlySpan<byte> run)
    {
        var start = reader.Position;
        var length = 0;
        var read = isPacked ? reader.TryReadLengthDelimited(out start, out length) : reader.TryReadVarint(out _);
        run = read ? context.Payload.Slice(start, isPacked ? length : reader.Position - start) : default;
        return read || context.Unreadable(reader, "a run of numbers");
    }
}
