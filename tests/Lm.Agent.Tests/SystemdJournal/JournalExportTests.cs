using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lm.Agent.SystemdJournal;

namespace Lm.Agent.Tests.SystemdJournal;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class JournalExportTests
{
    private const int MessageBytesMax = 64;

    [Fact]
    public void Entries_come_back_however_the_stream_is_cut_into_pieces() =>
        Prop.ForAll(Entries.ToArbitrary(), Pieces.ToArbitrary(), (entries, pieces) =>
        {
            var stream = new MemoryStream();
            foreach (var (message, isBinary, others) in entries)
            {
                FakeJournal.WriteText(stream, "__CURSOR", "s=1;i=2");
                foreach (var other in others)
                {
                    FakeJournal.WriteBinary(stream, "_OTHER", other);
                }

                if (isBinary)
                {
                    FakeJournal.WriteBinary(stream, "MESSAGE", message);
                }
                else
                {
                    FakeJournal.WriteText(stream, "MESSAGE", Encoding.Latin1.GetString(message).Replace('\n', ' '));
                }

                FakeJournal.WriteText(stream, "MESSAGE", "a second one does not count");
                stream.WriteByte((byte)'\n');
            }

            var expected = entries.Select(entry => entry.IsBinary ? entry.Message : Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(entry.Message).Replace('\n', ' ')));
            Assert.Equal(
                expected.Select(message => message.Length == 0 ? "a second one does not count"u8.ToArray() : message).Select(message => (Convert.ToHexString(message.AsSpan(0, Math.Min(message.Length, MessageBytesMax))), (long)message.Length)),
                ReadAll(stream.ToArray(), pieces, out var isMalformed));
            Assert.False(isMalformed);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_bytes_make_it_throw_or_never_end() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), Pieces.ToArbitrary(), (bytes, pieces) =>
        {
            ReadAll(bytes, pieces, out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Bytes_near_the_format_do_neither() =>
        Prop.ForAll(Gen.Elements<byte>((byte)'A', (byte)'=', (byte)'\n', 0, 1, (byte)'_', (byte)'-').ArrayOf().ToArbitrary(), Pieces.ToArbitrary(), (bytes, pieces) =>
        {
            ReadAll(bytes, pieces, out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Lines_for_people_are_passed_over()
    {
        Assert.Equal([("78", 1L)], ReadAll(Encoding.UTF8.GetBytes("-- Boot 1 --\n# note\n\n__CURSOR=c\nMESSAGE=x\n\n"), [3], out var isMalformed));
        Assert.False(isMalformed);
    }

    [Theory]
    [InlineData("message=x\n\n")]
    [InlineData("=x\n\n")]
    [InlineData("A\n\u0001\0\0\0\0\0\0\0xy")]
    [InlineData("A\n\u0001\0\0\0\u0001\0\0\0x")]
    public void What_is_no_field_is_malformed_and_stays_so(string text)
    {
        ReadAll(Encoding.Latin1.GetBytes(text + "\n\n__CURSOR=c\n\n"), [100], out var isMalformed);

        Assert.True(isMalformed);
    }

    [Fact]
    public void A_name_without_end_is_malformed()
    {
        ReadAll(Encoding.ASCII.GetBytes(new string('A', 1000)), [7], out var isMalformed);

        Assert.True(isMalformed);
    }

    private static readonly Gen<(byte[] Message, bool IsBinary, byte[][] Others)[]> Entries =
        (from message in ArbMap.Default.GeneratorFor<byte[]>()
         from isBinary in ArbMap.Default.GeneratorFor<bool>()
         from others in ArbMap.Default.GeneratorFor<byte[]>().ArrayOf(2)
         select (message, isBinary, others)).ArrayOf();

    private static readonly Gen<int[]> Pieces = Gen.Choose(1, 40).NonEmptyListOf().Select(list => list.ToArray());

    private static List<(string Message, long Length)> ReadAll(byte[] bytes, int[] pieces, out bool isMalformed)
    {
        var export = new JournalExport(MessageBytesMax);
        var found = new List<(string, long)>();
        isMalformed = false;
        for (var (at, piece) = (0, 0); at < bytes.Length; piece++)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(at, Math.Min(pieces[piece % pieces.Length], bytes.Length - at));
            at += rest.Length;
            ExportStep step;
            while ((step = export.Read(ref rest)) == ExportStep.Entry)
            {
                found.Add((Convert.ToHexString(export.Message), export.MessageLength));
            }

            isMalformed |= step == ExportStep.Malformed;
            Assert.True(!isMalformed || step == ExportStep.Malformed);
        }

        return found;
    }
}
