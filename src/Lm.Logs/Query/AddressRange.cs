using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lm.Logs.Query;

/// <summary>The addresses of <c>ip("…")</c>: one, those of a prefix (<c>10.0.0.0/8</c>) or a range (<c>10.0.0.1-10.0.0.9</c>), of IPv4 or IPv6.</summary>
internal sealed class AddressRange
{
    // ::ffff:255.255.255.255 with all zeros written out.
    private const int AddressLengthMax = 45;

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789abcdefABCDEF.:"u8);
    private static readonly SearchValues<byte> FourBytes = SearchValues.Create("0123456789."u8);

    private readonly bool isFour;
    private readonly UInt128 first;
    private readonly UInt128 last;

    private AddressRange(bool isFour, UInt128 first, UInt128 last) => (this.isFour, this.first, this.last) = (isFour, first, last);

    /// <summary>Reads what stands between the quotes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="range">The addresses; null when false.</param>
    public static bool TryParse(string text, out AddressRange? range)
    {
        range = null;
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash >= 0)
        {
            if (TryAddress(text[..dash].Trim(), out var fromFour, out var from) && TryAddress(text[(dash + 1)..].Trim(), out var untilFour, out var until) && fromFour == untilFour && from <= until)
            {
                range = new AddressRange(fromFour, from, until);
            }

            return range is not null;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!TryAddress(slash < 0 ? text : text[..slash], out var isFour, out var address))
        {
            return false;
        }

        var bits = isFour ? 32 : 128;
        var length = bits;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out length) || length > bits))
        {
            return false;
        }

        var rest = length == bits ? UInt128.Zero : UInt128.MaxValue >> (128 - (bits - length));
        range = new AddressRange(isFour, address & ~rest, address | rest);
        return true;
    }

    /// <summary>Whether an address of the range stands anywhere in a text.</summary>
    public bool IsIn(ReadOnlySpan<byte> text)
    {
        while (true)
        {
            var start = text.IndexOfAny(AddressBytes);
            if (start < 0)
            {
                return false;
            }

            text = text[start..];
            var length = text.IndexOfAnyExcept(AddressBytes);
            length = length < 0 ? text.Length : length;
            if (isFour ? HasFour(text[..length]) : HasSix(text[..length]))
            {
                return true;
            }

            text = text[length..];
        }
    }

    private bool HasFour(ReadOnlySpan<byte> run)
    {
        while (run.IndexOfAny(FourBytes) is >= 0 and var start)
        {
            run = run[start..];
            var length = run.IndexOfAnyExcept(FourBytes);
            length = length < 0 ? run.Length : length;

            // A full stop behind an address ends a sentence.
            if (TryFour(run[..length].Trim((byte)'.'), out var address) && address >= first && address <= last)
            {
                return true;
            }

            run = run[length..];
        }

        return false;
    }

    // A colon behind an address belongs to the text around it, as does one before; a second one is the address's.
    private bool HasSix(ReadOnlySpan<byte> run)
    {
        if (run.Length is < 2 or > AddressLengthMax || !run.Contains((byte)':'))
        {
            return false;
        }

        run = run.TrimEnd((byte)'.');
        return IsSix(run) || (run.EndsWith(":"u8) && !run.EndsWith("::"u8) && IsSix(run[..^1])) || (run.StartsWith(":"u8) && !run.StartsWith("::"u8) && IsSix(run[1..]));
    }

    private bool IsSix(ReadOnlySpan<byte> text) => TryAddress(Encoding.ASCII.GetString(text), out var four, out var address) && !four && address >= first && address <= last;

    private static bool TryAddress(string text, out bool isFour, out UInt128 address)
    {
        address = default;
        isFour = !text.Contains(':', StringComparison.Ordinal);
        if (isFour)
        {
            return TryFour(Encoding.UTF8.GetBytes(text), out address);
        }

        if (text.Length > AddressLengthMax || text.AsSpan().IndexOfAny('[', '%', '/') >= 0 || !IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        parsed.TryWriteBytes(bytes, out _);
        address = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return true;
    }

    // Four numbers up to 255 without zeros before them.
    private static bool TryFour(ReadOnlySpan<byte> text, out UInt128 address)
    {
        address = default;
        uint all = 0;
        var count = 0;
        foreach (var part in text.Split((byte)'.'))
        {
            var digits = text[part];
            if (++count > 4 || digits.Length is 0 or > 3 || (digits.Length > 1 && digits[0] == '0') || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            {
                return false;
            }

            uint number = 0;
            foreach (var digit in digits)
            {
                number = (number * 10) + digit - '0';
            }

            if (number > byte.MaxValue)
            {
                return false;
            }

            all = (all << 8) | number;
        }

        address = all;
        return count == 4;
    }
}
