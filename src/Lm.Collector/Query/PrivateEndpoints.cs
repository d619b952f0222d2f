using Lm.Collector.Agents;
using Lm.Collector.Listeners;
using Lm.Collector.Spool;

namespace Lm.Collector.Query;

/// <summary>All that answers on the private listener.</summary>
internal sealed class PrivateEndpoints(PrivateServices services) : IHttpEndpoint
{
    /// <summary>Who is fed from the spool, in this order.</summary>
    public IReadOnlyList<IBatchConsumer> Consumers { get; } = [];

    /// <summary>Who hears what requests say about their agents.</summary>
    public IAgentReports AgentReports => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task HandleAsync(HttpContext context) => throw new NotImplementedException(services.ToString());
}
