using System.Text.Json;
using Lm.Platform;
using Lm.Tsdb.Blocks;

namespace Lm.Collector.Landing;

/// <summary>Which blocks' samples are in the store, verified: by the level-1 blocks that they came from, so that it is known of merged blocks, too, whichever of them landed.</summary>
/// <remarks>Part of the state file: what compacts elsewhere takes blocks away, and they must not land again.</remarks>
internal sealed class LandedBlocks
{
    private readonly Lock gate = new(); // guards both below
    private readonly Dictionary<Ulid, long> landedAt = []; // of those that landed since start
    private HashSet<Ulid> sources = [];

    /// <summary>Whether all samples of a block are there.</summary>
    public bool Has(BlockMeta block)
    {
        lock (gate)
        {
            return block.Sources.All(sources.Contains);
        }
    }

    /// <summary>When the last of a block's samples landed, by the process' clock; the smallest value when that was before the start.</summary>
    public long LandedAt(BlockMeta block)
    {
        lock (gate)
        {
            return block.Sources.Max(source => landedAt.GetValueOrDefault(source, long.MinValue));
        }
    }

    /// <summary>A block is there, verified.</summary>
    /// <param name="block">The block.</param>
    /// <param name="at">The process' clock.</param>
    public void Add(BlockMeta block, long at)
    {
        lock (gate)
        {
            sources.UnionWith(block.Sources);
            foreach (var source in block.Sources)
            {
                landedAt[source] = at;
            }
        }
    }

    /// <summary>The store was listed.</summary>
    /// <param name="there">The blocks that are there and stay.</param>
    /// <param name="local">The blocks that are here: of others nothing need be known.</param>
    /// <param name="keepsKnown">Whether what is not there any more was merged by someone else.</param>
    public void Listed(IEnumerable<BlockMeta> there, IEnumerable<BlockMeta> local, bool keepsKnown)
    {
        lock (gate)
        {
            var found = there.SelectMany(static block => block.Sources).ToHashSet();
            if (keepsKnown)
            {
                found.UnionWith(sources);
            }

            found.IntersectWith(local.SelectMany(static block => block.Sources));
            sources = found;
            foreach (var gone in landedAt.Keys.Where(source => !found.Contains(source)).ToArray())
            {
                landedAt.Remove(gone);
            }
        }
    }

    /// <summary>Writes them as an array.</summary>
    public void Write(Utf8JsonWriter json)
    {
        lock (gate)
        {
            json.WriteStartArray();
            foreach (var source in sources.Order())
            {
                json.WriteStringValue(source.ToString());
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Takes over what <see cref="Write"/> gave.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public void Read(JsonElement state)
    {
        lock (gate)
        {
            foreach (var each in state.EnumerateArray())
            {
                sources.Add(Ulid.TryParse(each.GetString(), out var id) ? id : throw new FormatException($"\"{each.GetString()}\" is not a ULID"));
            }
        }
    }
}
