using System.Buffers.Binary;
using System.Text;
using Lm.Platform;

namespace Lm.Collector.Spool;

/// <summary>A record of the spool that holds the collector's own <c>up</c> of the agents at one moment. Format: docs/formats/spool.md.</summary>
internal static class UpRecord
{
    /// <summary>What such a record begins with.</summary>
    public const byte Kind = 3;

    private const byte Version = 1;
    private const int HeadSize = 16;
    private const int EntrySizeMin = 6;

    /// <summary>Writes a record.</summary>
    public static byte[] Write(UnixMillis at, IReadOnlyList<AgentUp> agents)
    {
        var record = new byte[HeadSize + agents.Sum(static agent => EntrySizeMin + Encoding.UTF8.GetByteCount(agent.AgentId))];
        record[0] = Kind;
        record[1] = Version;
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), agents.Count);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(8), at.Value);
        var rest = record.AsSpan(HeadSize);
        foreach (var agent in agents)
        {
            var name = Encoding.UTF8.GetBytes(agent.AgentId, rest[EntrySizeMin..]);
            BinaryPrimitives.WriteInt32LittleEndian(rest, agent.IntervalMs);
            rest[4] = agent.IsUp ? (byte)1 : (byte)0;
            rest[5] = checked((byte)name);
            rest = rest[(EntrySizeMin + name)..];
        }

        return record;
    }

    /// <summary>Reads a record.</summary>
    /// <param name="record">Its bytes.</param>
    /// <param name="at">The moment.</param>
    /// <param name="agents">The agents.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRead(ReadOnlySpan<byte> record, out UnixMillis at, out IReadOnlyList<AgentUp> agents)
    {
        (at, agents) = (default, []);
        if (record.Length < HeadSize || record[0] != Kind || record[1] != Version)
        {
            return record.Length < HeadSize
                ? $"the record has {record.Length} bytes; at least {HeadSize} are expected"
                : $"the record is of kind {record[0]} and version {record[1]}; this program reads kind {Kind}, version {Version}";
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(record[4..]);
        var rest = record[HeadSize..];
        if (count < 0 || count > rest.Length / EntrySizeMin)
        {
            return $"the record lists {count} agents in {record.Length} bytes";
        }

        var found = new List<AgentUp>(count);
        for (var i = 0; i < count; i++)
        {
            var size = rest.Length < EntrySizeMin ? 0 : EntrySizeMin + rest[5];
            if (size == 0 || size > rest.Length || BinaryPrimitives.ReadInt32LittleEndian(rest) <= 0)
            {
                return $"agent {i} of {count} is cut short or has no interval";
            }

            found.Add(new AgentUp(Encoding.UTF8.GetString(rest[EntrySizeMin..size]), BinaryPrimitives.ReadInt32LittleEndian(rest), rest[4] != 0));
            rest = rest[size..];
        }

        at = new UnixMillis(BinaryPrimitives.ReadInt64LittleEndian(record[8..]));
        agents = found;
        return null;
    }
}
