namespace Lm.Collector.Listeners;

/// <summary>Where the runtime runs what waits for a socket: on the threads that ask the kernel for events, or a hop further, on the thread pool.</summary>
internal static class SocketThreads
{
    // Read once, before the first socket operation; there is no other way to say it.
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>From the first socket on, one thread for each processor waits for events and runs what they wake, which for the ingest listener is a request up
    /// to its append. Saves a wake-up and its switch for nearly every batch (decision 0014). Whoever set the variable is heeded.</summary>
    /// <remarks>So what goes on behind an await on a socket must not block: other connections wait for that thread. Endpoints that are not
    /// <see cref="IHttpEndpoint.IsQuick"/> are safe, their listener takes the hop itself; an HTTP client's caller is to leave by <c>Task.Run</c> before it blocks.</remarks>
    public static void RunWhatBytesWakeOnThem()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
