using Microsoft.AspNetCore.Connections;

namespace Lm.Collector.Listeners;

/// <summary>Counts the connections of a listener.</summary>
internal sealed class ConnectionCounter
{
    private long open;
    private long total;

    /// <summary>Open now.</summary>
    public long Open => Interlocked.Read(ref open);

    /// <summary>Since the start.</summary>
    public long Total => Interlocked.Read(ref total);

    /// <summary>Wraps a connection's handling.</summary>
    public ConnectionDelegate Count(ConnectionDelegate next) => async connection =>
    {
        Interlocked.Increment(ref total);
        Interlocked.Increment(ref open);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    };
}
