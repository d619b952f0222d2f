using System.Buffers;
using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;
using Lm.Collector.Landing;
using Lm.Journal;
using Lm.ObjectStore;
using Lm.Platform;
using Lm.Protocol;
using Lm.TestKit;

namespace Lm.Collector.Tests.Landing;

public sealed class RawManifestTests
{
    [Fact]
    public async Task The_bytes_are_those_of_the_format_page_and_are_read_back()
    {
        byte[] up = [3, 1, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(1_767_225_600_000)];
        byte[] batch = [1, 1, 0, 0, 44, 0, 0, 0, .. BitConverter.GetBytes(1_767_225_601_000), .. new byte[28], .. Enumerable.Repeat((byte)0xAB, 16)];
        var manifest = new RawManifest
        {
            Collector = "collector-1",
            Incarnation = new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f"),
            From = default,
            End = new JournalPosition(0, 148),
            Oldest = new UnixMillis(1_767_225_600_000),
            Newest = new UnixMillis(1_767_225_601_000),
            Records =
            [
                new RawEntry(new JournalPosition(0, 48), 3, 16, up.Length, 0, Crc32C.Compute(up)),
                new RawEntry(new JournalPosition(0, 76), 1, 32, batch.Length, 44, Crc32C.Compute(batch)),
            ],
            Queues = [new RawQueue("a1", new QueueId(7), [new SequenceRange(1, 3), new SequenceRange(7, 7)])],
        };

        var content = Assemble(manifest, [up, batch]);
        Assert.Equal(GoldenFile.ReadHex("raw/two-records.v1.hex"), Convert.ToHexStringLower(content));

        using var store = new DirectoryObjectStore(new MemoryFileSystem(), "/bucket", "test", new StoreCounters());
        await store.PutAsync("raw", ObjectContent.Of(content), PutCondition.None, TestContext.Current.CancellationToken);
        var found = await RawObjectReader.ReadAsync(store, "raw", TestContext.Current.CancellationToken);
        Assert.NotNull(found);
        Assert.Null(found.Fault);
        AssertSame(manifest, found.Manifest!);
        Assert.Null(await RawObjectReader.VerifyAsync(store, "raw", content.Length, found.Trailer.Hash, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_object_that_is_deleted_while_it_is_read_is_missing_and_not_damaged()
    {
        await using var rig = new LandingRig();
        await rig.AcceptAsync(1, 2);
        using var group = RawGroup.Gather(rig.Ingest.Spool, LandingRig.Collector, new RawSpan(default, default, rig.Ingest.Spool.End), long.MaxValue, CancellationToken.None)!;
        var content = Assemble(group.Manifest, [.. rig.Spooled().Select(record => record.Bytes)]);
        using var store = new FaultyStore(new DirectoryObjectStore(new MemoryFileSystem(), "/bucket", "test", new StoreCounters()));
        await store.PutAsync("raw", ObjectContent.Of(content), PutCondition.None, TestContext.Current.CancellationToken);
        for (var requests = 1; requests <= 2; requests++)
        {
            var goneAt = store.Calls + requests;
            store.Trouble = (call, _, _) => call >= goneAt ? StoreTrouble.Misses : StoreTrouble.None;
            Assert.Null(await RawObjectReader.ReadAsync(store, "raw", TestContext.Current.CancellationToken));
        }

        store.Trouble = static (_, _, _) => StoreTrouble.None;
        Assert.NotNull((await RawObjectReader.ReadAsync(store, "raw", TestContext.Current.CancellationToken))?.Manifest);
    }

    [Fact]
    public async Task What_the_spool_gives_is_laid_out_so_and_is_read_at_any_offset()
    {
        await using var rig = new LandingRig(segmentSizeMax: 3000);
        await rig.AcceptAsync(1, 20);
        var end = rig.Ingest.Spool.End;
        using var group = RawGroup.Gather(rig.Ingest.Spool, LandingRig.Collector, new RawSpan(default, default, end), long.MaxValue, CancellationToken.None)!;

        var whole = Assemble(group.Manifest, [.. rig.Spooled().Select(record => record.Bytes)]);

        Assert.Equal(whole.Length, group.Length);
        Prop.ForAll(
            Gen.Choose(0, whole.Length + 10).SelectMany(offset => Gen.Choose(0, 3000).Select(size => (offset, size))).ToArbitrary(),
            range =>
            {
                var buffer = new byte[range.size];
                var count = group.Read(range.offset, buffer);
                return count == Math.Clamp(whole.Length - range.offset, 0, range.size)
                    && (count == 0 || buffer.AsSpan(0, count).SequenceEqual(whole.AsSpan(range.offset, count)));
            }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Any_manifest_is_read_back_as_it_was()
    {
        Prop.ForAll(Manifests.ToArbitrary(), manifest =>
        {
            var (bytes, recordsEnd) = Bytes(manifest);
            Assert.Null(RawManifest.TryRead(bytes, recordsEnd, out var read));
            AssertSame(manifest, read!);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_changed_byte_goes_unnoticed_and_no_bytes_make_the_reader_throw()
    {
        var cases = Manifests.SelectMany(manifest => Gen.Choose(0, 1 << 20).SelectMany(at => Gen.Choose(1, 255).Select(change => (manifest, at, change))));
        Prop.ForAll(cases.ToArbitrary(), given =>
        {
            var (bytes, recordsEnd) = Bytes(given.manifest);
            var at = given.at % bytes.Length;
            bytes[at] ^= (byte)given.change;
            Assert.NotNull(RawManifest.TryRead(bytes, recordsEnd, out _));
            Assert.NotNull(RawManifest.TryRead(bytes.AsSpan(0, at), recordsEnd, out _));

            // Behind a checksum that is right, too: then it may be read, or is refused with a reason.
            BitConverter.GetBytes(Crc32C.Compute(bytes.AsSpan(0, bytes.Length - 4))).CopyTo(bytes.AsSpan(bytes.Length - 4));
            _ = RawManifest.TryRead(bytes, recordsEnd, out _);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_trailer_that_was_changed_anywhere_is_refused()
    {
        var trailer = new RawTrailer(100, 50, SHA256.HashData("x"u8)).ToBytes();
        Assert.Null(RawTrailer.TryRead(trailer, 214, out var read));
        Assert.Equal((100L, 50), (read.ManifestOffset, read.ManifestSize));
        Assert.NotNull(RawTrailer.TryRead(trailer, 215, out _));
        for (var at = 0; at < trailer.Length; at++)
        {
            var changed = (byte[])trailer.Clone();
            changed[at] ^= 0x40;
            Assert.NotNull(RawTrailer.TryRead(changed, 214, out _));
        }
    }

    [Fact]
    public void The_place_in_a_key_is_read_back_and_keys_have_the_order_of_places()
    {
        var keys = new ObjectKeys("fleet-a");
        var incarnation = new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f");
        var key = keys.Raw("c1", incarnation, 12, 345);

        Assert.Equal("fleet-a/raw/c1/000102030405060708090a0b0c0d0e0f/0000000012-000000000345.lmf", key);
        Assert.True(ObjectKeys.TryReadRaw(key, out var segment, out var offset));
        Assert.Equal((12U, 345L), (segment, offset));
        var at = keys.RawAt("c1", incarnation, 12, 345);
        Assert.True(string.CompareOrdinal(at, key) < 0);
        Assert.True(string.CompareOrdinal(keys.Raw("c1", incarnation, 12, 344), at) < 0);
        Assert.False(ObjectKeys.TryReadRaw("raw/x.lmf", out _, out _));
        Assert.Equal("raw/c1/000102030405060708090a0b0c0d0e0f/", new ObjectKeys("").RawFolder("c1", incarnation));
    }

    private static Gen<RawManifest> Manifests =>
        from count in Gen.Choose(1, 20)
        from sizes in Gen.ArrayOf(Gen.Choose(1, 5000), count)
        from gaps in Gen.ArrayOf(Gen.Choose(0, 100), count)
        from queues in Gen.ListOf(Gen.Choose(1, 30).SelectMany(name => Gen.Choose(1, 4).Select(ranges => (name, ranges))))
        from name in Gen.Elements("c", "collector-1", "ä")
        select Make(sizes, gaps, [.. queues.Take(5)], name);

    private static RawManifest Make(int[] sizes, int[] gaps, (int Name, int Ranges)[] queues, string name)
    {
        var records = new List<RawEntry>();
        var (at, place) = ((long)RawManifest.HeaderSize, 48L);
        for (var i = 0; i < sizes.Length; i++)
        {
            records.Add(new RawEntry(new JournalPosition((uint)(i / 7), place), (byte)(1 + (i % 3)), at, sizes[i], sizes[i] / 2, (uint)(i * 77)));
            at += sizes[i];
            place += gaps[i] + sizes[i] + 12;
        }

        return new RawManifest
        {
            Collector = name,
            Incarnation = new Guid("00010203-0405-0607-0809-0a0b0c0d0e0f"),
            From = default,
            End = new JournalPosition(records[^1].Position.Segment, place),
            Oldest = new UnixMillis(5),
            Newest = new UnixMillis(6),
            Records = records,
            Queues =
            [
                .. queues.Select(queue => new RawQueue(
                    new string('q', queue.Name), new QueueId((UInt128)queue.Name), [.. Enumerable.Range(0, queue.Ranges).Select(range => new SequenceRange((ulong)range * 10, ((ulong)range * 10) + 3))])),
            ],
        };
    }

    private static (byte[] Bytes, long RecordsEnd) Bytes(RawManifest manifest)
    {
        var output = new ArrayBufferWriter<byte>();
        manifest.Write(output);
        return (output.WrittenSpan.ToArray(), manifest.Records[^1].Offset + manifest.Records[^1].Size);
    }

    private static byte[] Assemble(RawManifest manifest, byte[][] records)
    {
        var (bytes, recordsEnd) = Bytes(manifest);
        byte[] content = [.. RawManifest.Header(), .. records.SelectMany(static record => record), .. bytes];
        return [.. content, .. new RawTrailer(recordsEnd, bytes.Length, SHA256.HashData(content)).ToBytes()];
    }

    private static void AssertSame(RawManifest expected, RawManifest found)
    {
        Assert.Equal(
            (expected.Collector, expected.Incarnation, expected.From, expected.End, expected.Oldest, expected.Newest),
            (found.Collector, found.Incarnation, found.From, found.End, found.Oldest, found.Newest));
        Assert.Equal(expected.Records, found.Records);
        Assert.Equal(
            expected.Queues.Select(queue => $"{queue.AgentId} {queue.QueueId} {string.Join(',', queue.Sequences)}"),
            found.Queues.Select(queue => $"{queue.AgentId} {queue.QueueId} {string.Join(',', queue.Sequences)}"));
    }
}
