using System.Diagnostics;
using System.Text;
using Lm.Protocol;

namespace Lm.Collector.Ingest;

/// <summary>Makes the label set under which a series of a batch is stored: <c>instance</c> and <c>job</c> from the verified agent, the
/// series' own labels, the agent's common ones.</summary>
/// <remarks>
/// Rules (V22): a series' own label beats a common one of the same name; a label that the batch brings under the name <c>instance</c> or
/// <c>job</c> is renamed with the prefix <c>exported_</c>, repeated until the name is free; a series <c>up</c> that brings no label of its own
/// becomes <c>exported_up</c>, so that it cannot stand in for the collector's own; a label with an empty value is no label.
/// One object per feeding thread: it is reused from series to series without allocating.
/// </remarks>
internal sealed class Identity
{
    private static readonly byte[] Job = "lightmetrics"u8.ToArray();

    private readonly List<IdentityLabel> labels = [];
    private byte[] text = new byte[1024];
    private int length;

    /// <summary>The labels of one series, sorted by the bytes of their names, <c>__name__</c> among them; valid until the next call.</summary>
    /// <param name="batch">The batch; its agent id was verified.</param>
    /// <param name="series">One of its series.</param>
    public ReadOnlySpan<IdentityLabel> Build(DecodedBatch batch, in DecodedSeries series)
    {
        labels.Clear();
        length = 0;
        var own = batch.Labels(series);
        AddBrought(batch, own, overridden: default);
        var isBare = labels.Count == 1; // __name__ alone
        AddBrought(batch, batch.CommonLabels, overridden: own);
        if (isBare)
        {
            RenameBareUp();
        }

        Rename("instance"u8);
        Rename("job"u8);
        var agent = batch.Key.AgentId;
        Add("instance"u8, Copy(agent), Encoding.UTF8.GetByteCount(agent));
        Add("job"u8, Copy(Job), Job.Length);
        Sort();
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(labels);
    }

    /// <summary>A label's name, UTF-8; valid until the next <see cref="Build"/>.</summary>
    public ReadOnlySpan<byte> Name(in IdentityLabel label) => text.AsSpan(label.NameStart, label.NameLength);

    /// <summary>A label's value, UTF-8; valid until the next <see cref="Build"/>.</summary>
    public ReadOnlySpan<byte> Value(in IdentityLabel label) => text.AsSpan(label.ValueStart, label.ValueLength);

    private void AddBrought(DecodedBatch batch, ReadOnlySpan<uint> references, ReadOnlySpan<uint> overridden)
    {
        for (var i = 0; i + 1 < references.Length; i += 2)
        {
            var value = batch.Symbol(references[i + 1]);
            if (!value.IsEmpty && !HasName(overridden, references[i]))
            {
                Add(batch.Symbol(references[i]), Copy(value), value.Length);
            }
        }
    }

    // Symbols are distinct, so equal names have equal references.
    private static bool HasName(ReadOnlySpan<uint> references, uint name)
    {
        for (var i = 0; i < references.Length; i += 2)
        {
            if (references[i] == name)
            {
                return true;
            }
        }

        return false;
    }

    private void RenameBareUp()
    {
        var name = labels[0];
        if (Name(name).SequenceEqual("__name__"u8) && Value(name).SequenceEqual("up"u8))
        {
            labels[0] = name with { ValueStart = Copy("exported_up"u8), ValueLength = "exported_up".Length };
        }
    }

    private void Rename(ReadOnlySpan<byte> reserved)
    {
        var index = IndexOf(reserved);
        if (index < 0)
        {
            return;
        }

        var prefix = "exported_"u8;
        var start = length;
        Copy(prefix);
        Copy(reserved);
        while (IndexOf(text.AsSpan(start, length - start)) >= 0)
        {
            var size = length - start;
            Reserve(prefix.Length);
            text.AsSpan(start, size).CopyTo(text.AsSpan(start + prefix.Length));
            prefix.CopyTo(text.AsSpan(start));
            length += prefix.Length;
        }

        labels[index] = labels[index] with { NameStart = start, NameLength = length - start };
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < labels.Count; i++)
        {
            if (Name(labels[i]).SequenceEqual(name))
            {
                return i;
            }
        }

        return -1;
    }

    private void Add(ReadOnlySpan<byte> name, int valueStart, int valueLength)
    {
        var nameStart = Copy(name);
        labels.Add(new IdentityLabel(nameStart, name.Length, valueStart, valueLength));
    }

    private int Copy(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        var start = length;
        bytes.CopyTo(text.AsSpan(start));
        length += bytes.Length;
        return start;
    }

    private int Copy(string value)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(value.Length));
        var start = length;
        length += Encoding.UTF8.GetBytes(value, text.AsSpan(start));
        return start;
    }

    private void Reserve(int more)
    {
        Debug.Assert(more >= 0, "sizes come from spans");
        if (text.Length - length < more)
        {
            Array.Resize(ref text, Math.Max(text.Length * 2, length + more));
        }
    }

    // Insertion sort: a handful of labels, nearly sorted.
    private void Sort()
    {
        for (var i = 1; i < labels.Count; i++)
        {
            var label = labels[i];
            var at = i;
            while (at > 0 && Name(labels[at - 1]).SequenceCompareTo(Name(label)) > 0)
            {
                labels[at] = labels[at - 1];
                at--;
            }

            labels[at] = label;
        }
    }
}

/// <summary>One label made by <see cref="Identity"/>: places in its buffer.</summary>
internal readonly record struct IdentityLabel(int NameStart, int NameLength, int ValueStart, int ValueLength);
