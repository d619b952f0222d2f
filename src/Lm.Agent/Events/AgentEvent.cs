using Lm.Platform;
using Lm.Protocol;

namespace Lm.Agent.Events;

/// <summary>Something that the agent saw, on its way to become a log record of the input <c>events</c>.</summary>
/// <param name="Time">When it happened, or was seen.</param>
/// <param name="Severity">OpenTelemetry's severity number.</param>
/// <param name="Name">The attribute <c>event</c>.</param>
/// <param name="Body">One sentence for people.</param>
/// <param name="About">At most two more attributes; those with an empty value are left out.</param>
internal sealed record AgentEvent(UnixMillis Time, int Severity, string Name, string Body, params Label[] About)
{
    /// <summary>OpenTelemetry's INFO.</summary>
    public const int Information = 9;

    /// <summary>OpenTelemetry's WARN.</summary>
    public const int Warning = 13;

    /// <summary>OpenTelemetry's ERROR.</summary>
    public const int Error = 17;
}
