using System.Text;
using System.Text.Json;
using Lm.Protocol;
using Lm.Protocol.Framing;

namespace Lm.Fuzz;

/// <summary>What a run saw, printed as one JSON line.</summary>
internal sealed class Tally
{
    private readonly long[] frames = new long[Enum.GetValues<FrameStatus>().Length];
    private readonly long[] decodes = new long[Enum.GetValues<DecodeStatus>().Length];

    public long Acks { get; set; }

    public long Rewrites { get; set; }

    public long AllocatedMax { get; set; }

    public TimeSpan SlowestDecode { get; set; }

    public int PayloadMax { get; set; }

    public void Count(FrameStatus status) => frames[(int)status]++;

    public void Count(DecodeStatus status) => decodes[(int)status]++;

    public string ToJson(long seed, long count, TimeSpan duration)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("fuzz", "frames");
            json.WriteNumber("count", count);
            json.WriteNumber("seed", seed);
            json.WriteNumber("seconds", Math.Round(duration.TotalSeconds, 1));
            json.WriteStartObject("frame");
            for (var i = 0; i < frames.Length; i++)
            {
                json.WriteNumber(((FrameStatus)i).ToString(), frames[i]);
            }

            json.WriteEndObject();
            json.WriteStartObject("decode");
            for (var i = 0; i < decodes.Length; i++)
            {
                json.WriteNumber(((DecodeStatus)i).ToString(), decodes[i]);
            }

            json.WriteEndObject();
            json.WriteNumber("acks", Acks);
            json.WriteNumber("rewrites", Rewrites);
            json.WriteNumber("payload_bytes_max", PayloadMax);
            json.WriteNumber("allocated_bytes_max", AllocatedMax);
            json.WriteNumber("slowest_decode_us", Math.Round(SlowestDecode.TotalMicroseconds));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
