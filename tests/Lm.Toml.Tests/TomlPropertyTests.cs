using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Lm.Toml.Tests;

public sealed class TomlPropertyTests
{
    // Pieces rather than bytes alone: random bytes hardly ever get past the first line.
    private static readonly byte[][] Pieces =
    [
        .. new[]
        {
            "a", "b", "\"k\"", ".", "=", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\n", "\r\n", "\r", "#", " ", "\t", "1", "-", "+", "_",
            "0x", "0o7", "0b1", "1e9", "inf", "nan", "true", "false", "2026-08-01", "T", "07:32:00", ".5", "Z", "+01:00", "\"", "'", "\"\"\"", "'''",
            "\\", "\\u00e9", "\\U0010FFFF", "\u0000", "\u007f", "é", "😀", "\uFEFF", "[a]\n", "[[a]]\n", "[a.b]\n", "a.b = 1\n", "a = {b = 1}\n",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF0, 0x9F],
    ];

    private static readonly Arbitrary<byte[]> Soup = Arb.From(
        Gen.Elements(Pieces).ArrayOf().Select(pieces => pieces.SelectMany(piece => piece).ToArray()));

    [Fact]
    public void Any_document_that_is_written_is_read_back_with_the_same_values() =>
        Prop.ForAll(ArbitraryToml.Documents, written =>
        {
            var text = TomlWriter.Write(written);
            var document = TomlDocument.Parse(Encoding.UTF8.GetBytes(text), "f.toml");
            var isEqual = document.Top is not null && ArbitraryToml.AreEqual(written, document.Top);
            return isEqual.Label($"{string.Join('\n', document.Faults.All)}\n{text}");
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Any_soup_of_pieces_is_a_document_or_has_faults_inside_the_text() =>
        Prop.ForAll(Soup, (Action<byte[]>)(soup => AssertDocumentOrFaults(soup)))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(5000));

    [Fact]
    public void Any_mutation_of_a_file_of_the_suite_is_a_document_or_has_faults_inside_the_text()
    {
        var random = new Random(20260801);
        var files = TomlSuite.Listed("valid", ".toml").Concat(TomlSuite.Listed("invalid", ".toml")).Select(TomlSuite.Bytes).ToList();
        var refused = 0;
        foreach (var file in files)
        {
            for (var i = 0; i < 40; i++)
            {
                refused += AssertDocumentOrFaults(Mutated(file, random)) ? 0 : 1;
            }
        }

        // Mutations that were all refused, or all accepted, would not reach what they are for.
        Assert.InRange(refused, files.Count * 40 / 4, files.Count * 39);
    }

    [Fact]
    public void Every_valid_file_cut_at_any_byte_is_a_document_or_has_faults_inside_the_text()
    {
        foreach (var file in TomlSuite.Listed("valid", ".toml").Select(TomlSuite.Bytes))
        {
            for (var length = 0; length < Math.Min(file.Length, 1000); length++)
            {
                AssertDocumentOrFaults(file[..length]);
            }
        }
    }

    /// <returns>Whether it was a document.</returns>
    private static bool AssertDocumentOrFaults(byte[] utf8)
    {
        var document = TomlDocument.Parse(utf8, "f.toml");
        var faults = document.Faults.All;
        Assert.Equal(document.Top is null, faults.Count > 0);
        Assert.Equal(document.Top is not null, document.Root.IsPresent);
        var lines = Encoding.UTF8.GetString(utf8).TrimStart('\uFEFF').Split('\n');
        foreach (var fault in faults)
        {
            Assert.InRange(fault.Position.Line, 1, lines.Length);
            Assert.InRange(fault.Position.Column, 1, lines[fault.Position.Line - 1].EnumerateRunes().Count() + 1);
            Assert.DoesNotContain(fault.ToString(), char.IsControl);
        }

        return document.Top is not null;
    }

    private static byte[] Mutated(byte[] file, Random random)
    {
        List<byte> bytes = [.. file];
        for (var count = random.Next(1, 4); count > 0 && bytes.Count > 0; count--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, random.Next(bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(bytes.Count - at));
                    break;
            }
        }

        return [.. bytes];
    }
}
