using System.Buffers.Binary;
using System.Text;
using Lm.Logs.Query.Pipeline;

namespace Lm.Logs.Query.Metrics;

/// <summary>Which of a line's labels make its series. For one thread at a time.</summary>
/// <param name="grouping">Those that it names, or all but those; null for all.</param>
/// <param name="unwrapped">The label whose numbers are taken: no part of the series unless it is named; null for none.</param>
/// <param name="withLevel">Whether <see cref="DetectedLevel"/> is one of all labels.</param>
internal sealed class SeriesLabels(Grouping? grouping, string? unwrapped, bool withLevel)
{
    private readonly string[]? names = grouping is { IsWithout: false } ? [.. grouping.Names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] : null;
    private readonly HashSet<string> left = new(grouping is { IsWithout: true } ? grouping.Names : [], StringComparer.Ordinal)
    {
        LabelNames.Error,
        LabelNames.ErrorDetails,
    };

    private int[] places = new int[64];
    private byte[] key = new byte[1024];
    private int length;

    /// <summary>Bytes that two lines of one series have in common, and no others; valid until the next call.</summary>
    public ReadOnlySpan<byte> KeyOf(LineLabels labels)
    {
        length = 0;
        var count = Choose(labels);
        for (var i = 0; i < count; i++)
        {
            var label = labels[places[i]];
            Append(label.Name, label.Value);
        }

        return key.AsSpan(0, length);
    }

    /// <summary>The series' labels, sorted by name.</summary>
    public LogField[] LabelsOf(LineLabels labels)
    {
        var count = Choose(labels);
        var fields = new LogField[count];
        for (var i = 0; i < count; i++)
        {
            fields[i] = new LogField(labels[places[i]].Name, Encoding.UTF8.GetString(labels[places[i]].Value));
        }

        return fields;
    }

    private int Choose(LineLabels labels)
    {
        if (places.Length < labels.Count)
        {
            places = new int[2 * labels.Count];
        }

        return names is null ? ChooseAll(labels) : ChooseNamed(labels, names);
    }

    private int ChooseNamed(LineLabels labels, string[] wanted)
    {
        if (places.Length < wanted.Length)
        {
            places = new int[wanted.Length];
        }

        var count = 0;
        foreach (var name in wanted)
        {
            var place = labels.Find(name);
            if (place >= 0)
            {
                places[count++] = place;
            }
        }

        return count;
    }

    // Sorted by insertion: there are few, and those of the stream are sorted already. Of two with one name the later counts.
    private int ChooseAll(LineLabels labels)
    {
        var count = 0;
        for (var i = 0; i < labels.Count; i++)
        {
            var label = labels[i];
            if (!label.IsThere || (label.Origin == LabelOrigin.Derived && !withLevel) || label.Name == unwrapped || left.Contains(label.Name))
            {
                continue;
            }

            var at = count;
            while (at > 0 && string.CompareOrdinal(labels[places[at - 1]].Name, label.Name) > 0)
            {
                at--;
            }

            if (at > 0 && labels[places[at - 1]].Name == label.Name)
            {
                places[at - 1] = i;
                continue;
            }

            Array.Copy(places, at, places, at + 1, count - at);
            places[at] = i;
            count++;
        }

        return count;
    }

    private void Append(string name, ReadOnlySpan<byte> value)
    {
        var size = Encoding.UTF8.GetMaxByteCount(name.Length) + sizeof(int) + 1 + value.Length;
        if (key.Length - length < size)
        {
            Array.Resize(ref key, Math.Max(2 * key.Length, length + size));
        }

        length += Encoding.UTF8.GetBytes(name, key.AsSpan(length));
        key[length++] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(key.AsSpan(length), value.Length);
        length += sizeof(int);
        value.CopyTo(key.AsSpan(length));
        length += value.Length;
    }
}
