using System.Net;
using System.Net.Sockets;

namespace Lm.Collector.Console;

/// <summary>Counts the wrong tokens of each address: more than ten within a minute are too many.</summary>
/// <remarks>It judges wrong tokens alone and a right one always passes, also from an address with too many wrong ones: behind a proxy or a NAT
/// all clients have one address, and a stranger there must not be able to lock the others out. What keeps a token from being guessed is its length.</remarks>
internal sealed class WrongTokenLimiter(TimeProvider time)
{
    /// <summary>Wrong tokens of one address in a window that are answered as such.</summary>
    public const int FailuresMax = 10;

    /// <summary>Addresses remembered; a further one takes the place of the one whose window began first.</summary>
    public const int SourcesMax = 1024;

    /// <summary>The window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new(); // guards sources
    private readonly Dictionary<IPAddress, Attempts> sources = [];

    /// <summary>Counts a wrong token.</summary>
    /// <param name="address">Who sent it; null where there is no address.</param>
    /// <param name="windowLeft">When the address' window ends.</param>
    /// <returns>Which one of the window it is, from 1.</returns>
    public int Failed(IPAddress? address, out TimeSpan windowLeft)
    {
        var source = SourceOf(address);
        lock (gate)
        {
            if (sources.TryGetValue(source, out var attempts) && time.GetElapsedTime(attempts.Since) is var elapsed && elapsed < Window)
            {
                attempts = attempts with { Failures = attempts.Failures + 1 };
                windowLeft = Window - elapsed;
            }
            else
            {
                if (attempts.Failures == 0 && sources.Count >= SourcesMax)
                {
                    sources.Remove(sources.MinBy(entry => entry.Value.Since).Key);
                }

                attempts = new Attempts(time.GetTimestamp(), 1);
                windowLeft = Window;
            }

            sources[source] = attempts;
            return attempts.Failures;
        }
    }

    // An IPv6 host owns its /64: one source, or it would have 2^64 tries.
    private static IPAddress SourceOf(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }

    private readonly record struct Attempts(long Since, int Failures);
}
