using System.Globalization;
using System.Text;
using Lm.Protocol.Decoding;

namespace Lm.Protocol.Tests.Decoding;

public sealed class SymbolHashTests
{
    // By chance two of two hundred thousand hashes agree about five times, whatever the keys; a byte that is left out makes hundreds agree.
    [Fact]
    public void Every_byte_of_a_text_and_its_length_change_its_hash()
    {
        var seen = new HashSet<uint>();
        var agreeing = 0;
        for (var length = 0; length <= 80; length++)
        {
            var text = new byte[length];
            agreeing += seen.Add(SymbolHash.Fast(text)) ? 0 : 1;
            for (var at = 0; at < length; at++)
            {
                for (var value = 1; value < 64; value++)
                {
                    text[at] = (byte)value;
                    agreeing += seen.Add(SymbolHash.Fast(text)) ? 0 : 1;
                }

                text[at] = 0;
            }
        }

        Assert.InRange(agreeing, 0, 60);
    }

    [Fact]
    public void Tables_on_both_sides_of_the_fast_hash_find_a_symbol_that_they_have_twice()
    {
        foreach (var count in new[] { 2, 100, 1023, 1024, 1025, 3000 })
        {
            var payload = new byte[count * 80];
            var table = new SymbolTable();
            table.Add(0, 0, int.MaxValue);
            for (var i = 1; i < count; i++)
            {
                // Texts of 4 to 80 bytes, which begin with their number.
                Encoding.ASCII.GetBytes(i.ToString("d4", CultureInfo.InvariantCulture), payload.AsSpan(i * 80));
                table.Add(i * 80, 4 + (i % 77), int.MaxValue);
            }

            Assert.Null(table.Complete(payload));
            table.Add(80, 5, int.MaxValue);

            Assert.EndsWith("is symbol 1 again", table.Complete(payload), StringComparison.Ordinal);
        }
    }
}
