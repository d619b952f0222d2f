namespace Lm.LoadDriver;

/// <summary>How the driver's own sockets run what they wake: on the threads that wait for events, without a hop to the thread pool.</summary>
/// <remarks>A driver that spends less on itself leaves more of the shared cores to what is measured, whichever server that is.</remarks>
internal static class SocketsInline
{
    /// <summary>Read by the runtime before the first socket operation.</summary>
    public const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Turns it on, unless someone has said otherwise.</summary>
    public static void TurnOn()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
