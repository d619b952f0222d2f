using Lm.TestKit;

namespace Lm.Journal.Tests;

/// <summary>What opening does with torn tails, garbage and damage.</summary>
public sealed class RecoveryTests
{
    private static readonly string[] Three = ["alpha", "beta", "gamma"];

    [Fact]
    public async Task A_clean_stop_leaves_nothing_to_recover()
    {
        var files = await WrittenAsync(Three);
        await using var journal = Texts.Open(files);
        Assert.Equal(0, journal.Recovery.TornBytes);
        Assert.Empty(journal.Recovery.Damage);
        Assert.Equal(Three, journal.Read().Read());
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5000, 0)]
    [InlineData(100_000, 0)]
    [InlineData(0, 1)]
    [InlineData(0, 5000)]
    [InlineData(7, 5000)]
    [InlineData(5000, 200_000)]
    public async Task Garbage_behind_the_last_record_is_cut_with_the_zeros_behind_it_and_appends_go_on_there(int garbageSize, int zeros)
    {
        var files = await WrittenAsync(Three);
        var whole = files.Peek(Texts.PathOf(0));
        var garbage = new byte[garbageSize + zeros];
        new Random(garbageSize).NextBytes(garbage.AsSpan(0, garbageSize));
        if (garbageSize > 0)
        {
            garbage[garbageSize - 1] |= 1; // garbage ends where the zeros begin
        }

        files.Put(Texts.PathOf(0), [.. whole, .. garbage]);
        Assert.Equal(Three, JournalReader.ReadDirectory(files, Texts.Directory).Read());
        await using (var journal = Texts.Open(files))
        {
            Assert.Equal(garbageSize, journal.Recovery.TornBytes);
            Assert.Empty(journal.Recovery.Damage);
            Assert.Equal(whole, files.Peek(Texts.PathOf(0)));
            Assert.Equal(new JournalPosition(0, whole.Length), await journal.AppendAsync("delta"));
        }

        await using var again = Texts.Open(files);
        Assert.Equal([.. Three, "delta"], again.Read().Read());
    }

    [Fact]
    public async Task A_segment_cut_at_any_byte_of_its_last_group_loses_that_group_alone()
    {
        var files = await WrittenAsync(Three);
        var whole = files.Peek(Texts.PathOf(0));
        var lastRecord = SegmentFormat.RecordHeaderSize + Three[2].Length;
        for (var length = whole.Length - lastRecord; length < whole.Length; length++)
        {
            files.Put(Texts.PathOf(0), whole.AsSpan(0, length));
            await using var journal = Texts.Open(files);
            Assert.Equal(Three[..2], journal.Read().Read());
            Assert.Equal(whole.AsSpan(whole.Length - lastRecord, length - (whole.Length - lastRecord)).TrimEnd((byte)0).Length, journal.Recovery.TornBytes);
            Assert.Empty(journal.Recovery.Damage);
        }
    }

    [Fact]
    public async Task Any_flipped_bit_before_the_last_group_costs_at_most_one_record_and_is_set_aside()
    {
        var files = await WrittenAsync(Three);
        var whole = files.Peek(Texts.PathOf(0));
        var lastStart = whole.Length - SegmentFormat.RecordHeaderSize - Three[2].Length;
        for (var bit = 0; bit < lastStart * 8; bit++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var copy = await WrittenAsync(Three, files); // same id
            copy.Put(Texts.PathOf(0), damaged);
            await using var journal = Texts.Open(copy);
            var found = Assert.Single(journal.Recovery.Damage);
            Assert.Equal(0, journal.Recovery.TornBytes);
            Assert.InRange(bit / 8, found.Offset, found.Offset + found.SizeBytes - 1);
            Assert.Equal(damaged[(int)found.Offset..(int)(found.Offset + found.SizeBytes)], copy.Peek(found.SavedAs));
            var expected = bit / 8 < SegmentFormat.HeaderSize
                ? Three
                : Three.Where((_, at) => !(found.Offset <= StartOf(at) && StartOf(at) < found.Offset + found.SizeBytes));
            Assert.Equal(expected, journal.Read().Read());
            Assert.Equal(bit / 8 < SegmentFormat.HeaderSize ? 3 : 2, journal.Read().Count());
        }

        static int StartOf(int record) =>
            SegmentFormat.HeaderSize + Three.Take(record).Sum(text => SegmentFormat.RecordHeaderSize + text.Length);
    }

    [Fact]
    public async Task A_torn_record_before_zeros_is_a_torn_tail_and_zeros_among_records_are_damage()
    {
        var files = await WrittenAsync(Three);
        var whole = files.Peek(Texts.PathOf(0));
        var second = SegmentFormat.HeaderSize + SegmentFormat.RecordHeaderSize + Three[0].Length;
        files.Put(Texts.PathOf(0), [.. whole[..^2], .. new byte[3000]]);
        await using (var torn = Texts.Open(files))
        {
            Assert.Equal(SegmentFormat.RecordHeaderSize + Three[2].Length - 2, torn.Recovery.TornBytes);
            Assert.Equal(Three[..2], torn.Read().Read());
        }

        var length = SegmentFormat.RecordHeaderSize + Three[1].Length;
        files.Put(Texts.PathOf(0), [.. whole[..second], .. new byte[length], .. whole[(second + length)..], .. new byte[3000]]);
        await using var damaged = Texts.Open(files);
        Assert.Equal(second, Assert.Single(damaged.Recovery.Damage).Offset);
        Assert.Equal(0, damaged.Recovery.TornBytes);
        Assert.Equal(["alpha", "gamma"], damaged.Read().Read());
    }

    [Fact]
    public async Task Zeros_at_the_end_of_an_earlier_segment_are_no_damage_even_when_no_header_names_its_end()
    {
        var options = new JournalOptions { SegmentSizeMax = 200 };
        var files = await WrittenAsync([.. Enumerable.Range(0, 30).Select(i => $"record {i}")], null, options);
        files.Put(Texts.PathOf(1), [.. files.Peek(Texts.PathOf(1)), .. new byte[3000]]);
        files.Corrupt(Texts.PathOf(2), 20, 0xAA, 0xBB);
        await using var journal = Texts.Open(files, options);
        Assert.Equal(2u, Assert.Single(journal.Recovery.Damage).Segment); // its header
        Assert.Equal(30, journal.Read().Count());
        Assert.Empty(journal.LateDamage);
    }

    [Fact]
    public async Task After_damage_a_new_segment_begins_and_the_damage_stays_known()
    {
        var files = await WrittenAsync(Three);
        files.Corrupt(Texts.PathOf(0), SegmentFormat.HeaderSize + 14, 0xFF);
        await using (var journal = Texts.Open(files))
        {
            Assert.False(Assert.Single(journal.Recovery.Damage).WasKnown);
            Assert.Equal(1u, (await journal.AppendAsync("delta")).Segment);
            Assert.Equal(["beta", "gamma", "delta"], journal.Read().Read());
        }

        await using var again = Texts.Open(files);
        Assert.True(Assert.Single(again.Recovery.Damage).WasKnown);
        Assert.Equal(["beta", "gamma", "delta"], again.Read().Read());
        Assert.Empty(again.LateDamage);
    }

    [Fact]
    public async Task Damage_in_an_earlier_segment_is_set_aside_and_the_rest_is_read()
    {
        var files = await WrittenAsync([.. Enumerable.Range(0, 30).Select(i => $"record {i}")], null, Small);
        var before = files.Peek(Texts.PathOf(1));
        files.Corrupt(Texts.PathOf(1), 60, new byte[40]);
        await using var journal = Texts.Open(files, Small);
        var damage = Assert.Single(journal.Recovery.Damage);
        Assert.Equal(1u, damage.Segment);
        Assert.Equal("/spool/journal/0000000001.seg." + damage.Offset + ".damaged", damage.SavedAs);
        Assert.InRange(journal.Read().Count(), 26, 28);
        Assert.Equal(before.Length, files.Peek(Texts.PathOf(1)).Length);
    }

    [Fact]
    public async Task Damage_that_shortens_an_earlier_segment_is_reported()
    {
        var files = await WrittenAsync([.. Enumerable.Range(0, 30).Select(i => $"record {i}")], null, Small);
        var whole = files.Peek(Texts.PathOf(1));
        files.Put(Texts.PathOf(1), whole.AsSpan(0, whole.Length - 5));
        await using var journal = Texts.Open(files, Small);
        Assert.Equal(1u, Assert.Single(journal.Recovery.Damage).Segment);
        Assert.Equal(29, journal.Read().Count());
    }

    [Fact]
    public async Task Bit_rot_met_by_a_reader_is_listed_and_passed_over()
    {
        var files = await WrittenAsync(Three);
        await using var journal = Texts.Open(files);
        files.Corrupt(Texts.PathOf(0), SegmentFormat.HeaderSize + 14, 0xFF);
        Assert.Equal(["beta", "gamma"], journal.Read().Read());
        Assert.Equal(["beta", "gamma"], journal.Read().Read());
        Assert.Equal(SegmentFormat.HeaderSize, Assert.Single(journal.LateDamage).Offset);
    }

    [Fact]
    public async Task An_opening_that_does_not_read_all_knows_every_end_and_leaves_damage_to_the_reader()
    {
        string[] written = [.. Enumerable.Range(0, 30).Select(i => $"record {i}")];
        var files = await WrittenAsync(written, null, Small);
        await using (var whole = Texts.Open(files.Kill(), Small))
        await using (var quick = Texts.Open(files.Kill(), Small with { ReadsAllAtOpen = false }))
        {
            Assert.Equal(whole.Segments, quick.Segments);
            Assert.Equal(written, quick.Read().Read());
        }

        files.Corrupt(Texts.PathOf(1), 60, new byte[40]);
        await using var journal = Texts.Open(files, Small with { ReadsAllAtOpen = false });
        Assert.Empty(journal.Recovery.Damage);
        Assert.InRange(journal.Read().Count(), 26, 28);
        Assert.InRange(journal.Read().Count(), 26, 28);
        var damage = Assert.Single(journal.LateDamage);
        Assert.Equal("/spool/journal/0000000001.seg." + damage.Offset + ".damaged", damage.SavedAs);
    }

    [Fact]
    public async Task An_opening_that_does_not_read_all_reads_a_segment_that_is_shorter_than_the_next_header_says()
    {
        var files = await WrittenAsync([.. Enumerable.Range(0, 30).Select(i => $"record {i}")], null, Small);
        var whole = files.Peek(Texts.PathOf(1));
        files.Put(Texts.PathOf(1), whole.AsSpan(0, whole.Length - 5));
        await using var journal = Texts.Open(files, Small with { ReadsAllAtOpen = false });
        Assert.Equal(1u, Assert.Single(journal.Recovery.Damage).Segment);
        Assert.Equal(29, journal.Read().Count());
    }

    [Fact]
    public async Task A_segment_of_another_journal_is_renamed_and_never_read()
    {
        var files = await WrittenAsync([.. Enumerable.Range(0, 30).Select(i => $"record {i}")], null, Small);
        var other = await WrittenAsync(["stranger"]);
        files.Put(Texts.PathOf(77), other.Peek(Texts.PathOf(0)));
        await using var journal = Texts.Open(files, Small);
        Assert.Equal("/spool/journal/0000000077.seg.damaged", Assert.Single(journal.Recovery.Damage).SavedAs);
        Assert.Equal(30, journal.Read().Count());
        await journal.AppendAsync("more");
        Assert.Equal(31, journal.Read().Count());
    }

    [Fact]
    public async Task The_id_survives_damaged_segment_headers_and_a_lost_id_file()
    {
        var files = await WrittenAsync(Three);
        var id = await IdOfAsync(files);
        files.Corrupt(Texts.PathOf(0), 20, 0xAA, 0xBB);
        Assert.Equal(id, await IdOfAsync(files));

        var other = await WrittenAsync(Three);
        var otherId = await IdOfAsync(other);
        other.Delete("/spool/journal/journal.id");
        Assert.Equal(otherId, await IdOfAsync(other));
    }

    [Fact]
    public async Task A_format_version_of_a_later_program_is_refused_and_left_alone()
    {
        var files = await WrittenAsync(Three);
        var bytes = files.Peek(Texts.PathOf(0));
        bytes[8] = 2;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(44), Lm.Platform.Crc32C.Compute(bytes.AsSpan(0, 44)));
        files.Put(Texts.PathOf(0), bytes);
        var failure = Assert.Throws<JournalException>(() => Texts.Open(files));
        Assert.Contains("version 2", failure.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, files.Peek(Texts.PathOf(0)));
    }

    [Fact]
    public async Task Opening_fails_when_the_last_segment_cannot_be_synced()
    {
        var files = await WrittenAsync(Three);
        files.Fault = operation => operation.Kind == FileOperationKind.Sync ? FileFault.InputOutput : null;
        Assert.Throws<Lm.Platform.Files.FileSystemException>(() => Texts.Open(files));
    }

    [Fact]
    public async Task Copies_of_damage_stay_below_the_size_of_a_segment()
    {
        var options = new JournalOptions { SegmentSizeMax = 3000 };
        var files = await WrittenAsync([.. Enumerable.Range(0, 12).Select(i => new string('x', 900))], null, options);
        foreach (var segment in new uint[] { 0, 1, 2 })
        {
            files.Corrupt(Texts.PathOf(segment), SegmentFormat.HeaderSize + 100, 1, 2, 3);
            files.Corrupt(Texts.PathOf(segment), SegmentFormat.HeaderSize + 1100, 1, 2, 3);
        }

        await using var journal = Texts.Open(files, options);
        var kept = journal.Recovery.Damage.Where(damage => damage.SavedAs.Length > 0).ToList();
        Assert.InRange(kept.Sum(damage => damage.SizeBytes), 1, 3000);
        Assert.Contains(journal.Recovery.Damage, damage => damage.Reason.Contains("not copied", StringComparison.Ordinal));
        Assert.Equal(6, journal.Read().Count());
    }

    private static readonly JournalOptions Small = new() { SegmentSizeMax = 200 };

    private static async Task<Guid> IdOfAsync(MemoryFileSystem files)
    {
        await using var journal = Texts.Open(files);
        return journal.Id;
    }

    private static async Task<MemoryFileSystem> WrittenAsync(string[] texts, MemoryFileSystem? like = null, JournalOptions? options = null)
    {
        var files = new MemoryFileSystem();
        files.CreateDirectory(Texts.Directory);
        if (like is not null)
        {
            foreach (var name in like.List(Texts.Directory))
            {
                files.Put(Path.Combine(Texts.Directory, name), like.Peek(Path.Combine(Texts.Directory, name)));
            }

            return files;
        }

        await using var journal = Texts.Open(files, options);
        await journal.AppendAllAsync(texts);
        return files;
    }
}
