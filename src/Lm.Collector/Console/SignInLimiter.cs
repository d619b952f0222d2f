using System.Net;
using System.Net.Sockets;

namespace Lm.Collector.Console;

/// <summary>Lets one address try a wrong token ten times a minute.</summary>
internal sealed class SignInLimiter(TimeProvider time)
{
    /// <summary>Wrong tokens of one address in a window.</summary>
    public const int FailuresMax = 10;

    /// <summary>Addresses remembered; a further one takes the place of the one whose window began first.</summary>
    public const int SourcesMax = 1024;

    /// <summary>The window.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new(); // guards sources
    private readonly Dictionary<IPAddress, Attempts> sources = [];

    /// <summary>Whether an address may try now.</summary>
    /// <param name="address">Who tries; null where there is no address.</param>
    /// <param name="retryAfter">Else: when it may again.</param>
    public bool MayTry(IPAddress? address, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        lock (gate)
        {
            if (!sources.TryGetValue(SourceOf(address), out var attempts))
            {
                return true;
            }

            var elapsed = time.GetElapsedTime(attempts.Since);
            if (elapsed >= Window || attempts.Failures < FailuresMax)
            {
                return true;
            }

            retryAfter = Window - elapsed;
            return false;
        }
    }

    /// <summary>Counts a wrong token.</summary>
    public void Failed(IPAddress? address)
    {
        var source = SourceOf(address);
        lock (gate)
        {
            if (sources.TryGetValue(source, out var attempts) && time.GetElapsedTime(attempts.Since) < Window)
            {
                sources[source] = attempts with { Failures = attempts.Failures + 1 };
                return;
            }

            if (attempts.Failures == 0 && sources.Count >= SourcesMax)
            {
                sources.Remove(sources.MinBy(entry => entry.Value.Since).Key);
            }

            sources[source] = new Attempts(time.GetTimestamp(), 1);
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
