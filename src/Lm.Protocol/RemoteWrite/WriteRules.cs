using Lm.Platform;

namespace Lm.Protocol.RemoteWrite;

/// <summary>What a request's samples must satisfy beside what the decoder checks: their times.</summary>
public static class WriteRules
{
    /// <summary>Judges every series and sample.</summary>
    /// <param name="write">The request.</param>
    /// <param name="now">The collector's clock.</param>
    /// <param name="backfill">How old a sample may be.</param>
    /// <param name="ahead">How far ahead of the clock it may be.</param>
    /// <param name="takenSamples">Samples that are left.</param>
    public static WriteVerdict Judge(DecodedWrite write, UnixMillis now, TimeSpan backfill, TimeSpan ahead, out int takenSamples)
    {
        ArgumentNullException.ThrowIfNull(write);
        var verdict = new WriteVerdict { OldestAccepted = now.Add(-backfill), NewestAccepted = now.Add(ahead), SeriesEnd = write.Series.Length };
        takenSamples = write.SampleCount;

        // The ordinary request: nothing in it is looked at again.
        if (write.FaultCount == 0 && write.OldestTime >= verdict.OldestAccepted.Value && write.NewestTime <= verdict.NewestAccepted.Value)
        {
            return verdict;
        }

        var dropped = new List<int>(write.FaultCount);
        var (tooOld, tooNew, inDropped) = (0, 0, 0);
        for (var i = 0; i < write.Series.Length; i++)
        {
            ref readonly var series = ref write.Series[i];
            if (series.Fault != WriteFault.None)
            {
                dropped.Add(i);
                inDropped += series.SampleCount;
                continue;
            }

            foreach (ref readonly var sample in write.Samples(series))
            {
                tooOld += sample.Time < verdict.OldestAccepted.Value ? 1 : 0;
                tooNew += sample.Time > verdict.NewestAccepted.Value ? 1 : 0;
            }
        }

        takenSamples -= tooOld + tooNew + inDropped;
        return verdict with { DroppedSeries = dropped, TooOld = tooOld, TooNew = tooNew };
    }
}
