using System.Net;

namespace Lm.Collector.Settings;

/// <summary>An address to listen on.</summary>
/// <param name="Address">The address; the any-address of its family for all.</param>
/// <param name="Port">1 to 65535, or 0 for any free one.</param>
internal sealed record ListenAddress(IPAddress Address, int Port)
{
    /// <summary>Whether only this machine can reach it.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(Address);

    /// <summary>Reads <c>127.0.0.1:18080</c>, <c>[::1]:18080</c>, <c>localhost:18080</c>.</summary>
    /// <returns>False when the text is none of these.</returns>
    public static bool TryParse(string text, out ListenAddress address)
    {
        address = new ListenAddress(IPAddress.Loopback, 0);
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !TryParsePort(text.AsSpan(colon + 1), out var port))
        {
            return false;
        }

        var host = text[..colon];
        if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
        {
            address = new ListenAddress(IPAddress.Loopback, port);
            return true;
        }

        if (host.Contains(':') && !(host.StartsWith('[') && host.EndsWith(']')))
        {
            return false; // an IPv6 address without brackets: where it ends and the port begins is a guess
        }

        if (!IPAddress.TryParse(host.Trim('[', ']'), out var ip) || (ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork && host.Split('.').Length != 4))
        {
            return false;
        }

        address = new ListenAddress(ip, port);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => new IPEndPoint(Address, Port).ToString();

    private static bool TryParsePort(ReadOnlySpan<char> text, out int port)
    {
        port = 0;
        return text.Length is > 0 and <= 5
            && int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port)
            && port <= 65535;
    }
}
