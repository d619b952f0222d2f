using System.Text;

namespace Lm.Platform.Tests;

public sealed class Crc32CTests
{
    [Fact]
    public void The_check_value_of_the_standard_comes_out() =>
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8)); // the catalogue's check value of CRC-32/ISCSI

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(13)]
    public void Parts_give_the_checksum_of_the_whole(int cut)
    {
        var data = Encoding.ASCII.GetBytes("thirteen byte and a few more");
        Assert.Equal(Crc32C.Compute(data), Crc32C.Append(Crc32C.Compute(data.AsSpan(0, cut)), data.AsSpan(cut)));
    }
}
